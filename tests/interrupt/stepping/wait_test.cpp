// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// SIGINT at every instruction of calls that wait, until they sleep, and while they do.

#include "interrupt/stepping/expect_proof.hpp"
#include "interrupt/stepping/judge.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <system_error>

using namespace lastcall;
using namespace stepping;

namespace {

constexpr auto for_ever = std::chrono::hours{1000};

void a_sleep(stretch& s) {
  signal_scope scope;
  marked(s, [&] { io::sleep_for(for_ever); });
  s.require(s.delivered_at == 0, "the sleep ended by itself");
  judge_custody(s, scope);
}

void a_sleep_with_an_error_code(stretch& s) {
  signal_scope scope;
  std::error_code error;
  marked(s, [&] { io::sleep_for(for_ever, error); });
  s.require(error == stop_errc::interrupted, "the sleep ended by itself");
  judge_custody(s, scope);
}

void a_wait_under_a_shield(stretch& s) {
  signal_scope scope;
  const shield whole;
  bool came = false;
  marked(s, [&] { came = io::wait_for_request(deadline::after(for_ever)); });
  s.require(came && s.delivered_at == -1, "the wait did not end by a request");
  s.require(interrupt_pending() && scope.acknowledge().size() == 1 && !interrupt_pending(),
            "the request was not there to be acknowledged");
}

} // namespace

TEST(Stepping, ASleepEndsByARequestAtAnyInstruction) {
  expect_proof("io::sleep_for", {.run = a_sleep, .sleeps = true});
}

TEST(Stepping, ASleepReportsARequestAtAnyInstruction) {
  expect_proof("io::sleep_for with an error code", {.run = a_sleep_with_an_error_code, .sleeps = true});
}

TEST(Stepping, AWaitForARequestSeesItAtAnyInstruction) {
  expect_proof("io::wait_for_request under a shield", {.run = a_wait_under_a_shield, .sleeps = true});
}
