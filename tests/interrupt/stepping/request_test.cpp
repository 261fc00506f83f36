// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// SIGINT at every instruction of the library's own steps: checkpoints, deliveries, the handler itself.

#include "interrupt/stepping/expect_proof.hpp"
#include "interrupt/stepping/judge.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <system_error>

using namespace lastcall;
using namespace stepping;

namespace {

void checkpoints_only(stretch& s) {
  signal_scope scope;
  marked(s, [&] {
    checkpoint();
    s.at(1);
    checkpoint();
    s.at(2);
  });
  s.require(s.errno_kept, "errno has changed");
  judge_promptness(s, {0, 1});
  judge_custody(s, scope);
}

void checkpoint_with_a_request(stretch& s) {
  signal_scope scope;
  scope.request_stop("before");
  marked(s, [&] { checkpoint(); });
  s.require(s.delivered_at == 0, "what was pending was not delivered");
  judge_custody(s, scope, 1);
}

void checkpoint_that_returns_an_error(stretch& s) {
  signal_scope scope;
  std::error_code error;
  scope.request_stop("before");
  marked(s, [&] { checkpoint(error); });
  s.require(error == stop_errc::interrupted, "what was pending was not delivered");
  judge_custody(s, scope, 1);
}

void checkpoint_with_a_posted_call(stretch& s) {
  signal_scope scope;
  pair_of_steps steps;
  s.require(scope.post([&] {
    steps.taken = steps.taken + 1;
    checkpoint();
    steps.given = steps.given + 1;
  }),
            "post");
  marked(s, [&] {
    checkpoint();
    s.at(1);
    checkpoint();
    s.at(2);
  });
  s.require(steps.both(), "the posted call did not run whole and once");
  judge_promptness(s, {0, 1});
  judge_custody(s, scope);
}

void acknowledging(stretch& s) {
  signal_scope scope;
  scope.request_stop("before");
  std::size_t taken = 0;
  marked(s, [&] { taken = scope.acknowledge().size(); });
  s.require(taken == 1 || (s.signalled && taken == 2), "the acknowledged request was not returned");
  if (taken == 2)
    s.require(scope.acknowledge().empty() && !interrupt_pending(), "returned and pending");
  else
    judge_custody(s, scope);
}

void a_handler_at_work(stretch& s) {
  signal_scope scope;
  marked(s, [&] { ::raise(SIGTERM); });
  s.require(s.errno_kept, "errno has changed");
  s.require(scope.delivered(SIGTERM) == 1, "the signal whose handler was interrupted was not counted once");
  if (!s.signalled) return;
  s.require(scope.delivered(SIGINT) == 1, "the signal that interrupted the handler was not counted once");
  s.require(interrupt_pending() && scope.acknowledge().size() == 2 && !interrupt_pending(),
            "not both requests were there to be acknowledged");
}

} // namespace

TEST(Stepping, ACheckpointDeliversWhatCameAtAnyInstructionBeforeItsLook) {
  expect_proof("checkpoint(), twice, nothing pending", {checkpoints_only});
}

TEST(Stepping, ASecondRequestAtAnyInstructionOfADeliveryIsKept) {
  expect_proof("checkpoint() that throws, and the catch", {checkpoint_with_a_request});
}

TEST(Stepping, ASecondRequestAtAnyInstructionOfAnErrorCodeIsKept) {
  expect_proof("checkpoint(error) with a request", {checkpoint_that_returns_an_error});
}

TEST(Stepping, APostedCallRunsWholeAndOnce) {
  expect_proof("checkpoint() that runs a posted call", {checkpoint_with_a_posted_call});
}

TEST(Stepping, ARequestDuringAcknowledgeIsReturnedOrPending) {
  expect_proof("acknowledge()", {acknowledging});
}

TEST(Stepping, AHandlerAtWorkLosesNeitherSignal) { expect_proof("the signal handler", {a_handler_at_work}); }
