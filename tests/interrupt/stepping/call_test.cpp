// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// SIGINT at every instruction of calls that a request ends: on the way to the kernel, in between, while they
/// are blocked there, and on the way back with what came.
///
/// A call that finds something is followed by one that would wait for ever. So the subject ends only if the
/// request is delivered by one of the two, and says which: the result of the first was either taken whole,
/// and the request came with the second, or nothing was taken.

#include "interrupt/stepping/expect_proof.hpp"
#include "interrupt/stepping/judge.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <system_error>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

using namespace lastcall;
using namespace stepping;

namespace {

constexpr auto for_ever = std::chrono::hours{1000};

int bytes_in(const a_pipe& pipe) {
  int there = -1;
  ::ioctl(pipe.out(), FIONREAD, &there);
  return there;
}

// A thread's first call also sees to the nudge signal. That is gone through once; the other subjects have had
// their first call before they begin.
void seat_this_thread() {
  const a_pipe pipe;
  pipe.put('x');
  char byte = 0;
  io::read(pipe.out(), &byte, 1);
}

void the_first_read(stretch& s) {
  signal_scope scope;
  const a_pipe empty;
  char byte = 0;
  marked(s, [&] { io::read(empty.out(), &byte, 1); });
  s.require(s.delivered_at == 0, "the read ended by itself");
  judge_custody(s, scope);
}

void a_read_with_an_error_code(stretch& s) {
  signal_scope scope;
  seat_this_thread();
  const a_pipe empty;
  char byte = 0;
  std::error_code error;
  marked(s, [&] { io::read(empty.out(), &byte, 1, error); });
  s.require(error == stop_errc::interrupted, "the read ended by itself");
  judge_custody(s, scope);
}

void a_read_of_what_is_there(stretch& s) {
  signal_scope scope;
  seat_this_thread();
  const a_pipe pipe;
  pipe.put('x');
  char byte = 0;
  std::size_t got = 0;
  marked(s, [&] {
    got = io::read(pipe.out(), &byte, 1);
    s.at(1);
    io::read(pipe.out(), &byte, 1);
  });
  if (s.delivered_at == 0)
    s.require(got == 0 && byte == 0 && bytes_in(pipe) == 1, "the request won and the byte is gone");
  else
    s.require(s.delivered_at == 1 && got == 1 && byte == 'x' && bytes_in(pipe) == 0,
              "the byte was not read once, or the request not delivered by the next call");
  judge_custody(s, scope);
}

void a_write_to_a_full_pipe(stretch& s) {
  signal_scope scope;
  seat_this_thread();
  const a_pipe full;
  full.fill();
  const int before = bytes_in(full);
  const char byte = 'x';
  marked(s, [&] { io::write(full.in(), &byte, 1); });
  s.require(s.delivered_at == 0, "the write ended by itself");
  s.require(bytes_in(full) == before, "the request won and something was written");
  judge_custody(s, scope);
}

// There is room for a part: the kernel takes that and waits with the rest.
void a_write_of_too_much(stretch& s) {
  static const std::array<char, 12'288> much{};
  signal_scope scope;
  seat_this_thread();
  const a_pipe pipe;
  s.require(::fcntl(pipe.in(), F_SETPIPE_SZ, 4096) == 4096, "a pipe of one page");
  std::size_t written = 0;
  marked(s, [&] {
    written = io::write(pipe.in(), much.data(), much.size());
    s.at(1);
    io::write(pipe.in(), much.data(), 1);
  });
  s.require(bytes_in(pipe) == static_cast<int>(written), "what was written is not what was said");
  s.require(s.delivered_at == (written == 0 ? 0 : 1), "a part was written, and the request won");
  s.require(written == 0 || written == 4096, "not all that there was room for");
  judge_custody(s, scope);
}

void a_poll(stretch& s) {
  signal_scope scope;
  seat_this_thread();
  const a_pipe empty;
  pollfd watched{empty.out(), POLLIN, 0};
  marked(s, [&] { io::poll({&watched, 1}, deadline::after(for_ever)); });
  s.require(s.delivered_at == 0, "the poll ended by itself");
  judge_custody(s, scope);
}

void any_call(stretch& s) {
  signal_scope scope;
  seat_this_thread();
  const a_pipe empty;
  char byte = 0;
  marked(s, [&] { io::call("read", SYS_read, {empty.out(), &byte, 1}); });
  s.require(s.delivered_at == 0, "the call ended by itself");
  judge_custody(s, scope);
}

// The token fires on the herald, which nudges this thread.
void a_read_with_a_token(stretch& s) {
  signal_scope scope;
  const auto stop = scope.token();
  seat_this_thread();
  const a_pipe empty;
  char byte = 0;
  bool ended_by_stop = false;
  marked(s, [&] { ended_by_stop = !io::read(empty.out(), &byte, 1, stop); });
  s.require(ended_by_stop && s.delivered_at == -1, "the read did not end by its token");
  judge_custody(s, scope);
}

// A handler of the program's interrupts the call, and the request comes while that one runs: ours cannot move
// the call, which lies in a frame that is not ours.
void a_read_and_a_nested_handler(stretch& s) {
  signal_scope scope;
  struct sigaction own {};
  own.sa_handler = [](int) { ::raise(SIGINT); };
  own.sa_flags = SA_RESTART;
  s.require(::sigaction(SIGUSR1, &own, nullptr) == 0, "sigaction");
  seat_this_thread();
  const a_pipe empty;
  char byte = 0;
  marked(s, [&] { io::read(empty.out(), &byte, 1); });
  s.require(s.delivered_at == 0, "the read ended by itself");
  s.require(scope.delivered(SIGINT) == 1 && scope.acknowledge().size() == 1 && !interrupt_pending(),
            "the request was not there once to be acknowledged");
}

} // namespace

TEST(Stepping, AReadEndsByARequestAtAnyInstruction) {
  expect_proof("io::read, a thread's first", {.run = the_first_read, .sleeps = true});
}

TEST(Stepping, AReadReportsARequestAtAnyInstruction) {
  expect_proof("io::read with an error code", {.run = a_read_with_an_error_code, .sleeps = true});
}

TEST(Stepping, AReadLosesNeitherItsByteNorARequestAtAnyInstruction) {
  expect_proof("io::read of a byte, then of an empty pipe", {.run = a_read_of_what_is_there, .sleeps = true});
}

TEST(Stepping, AWriteEndsByARequestAtAnyInstruction) {
  expect_proof("io::write to a full pipe", {.run = a_write_to_a_full_pipe, .sleeps = true});
}

TEST(Stepping, AWriteOfAPartSaysSoAndARequestIsKept) {
  expect_proof("io::write of more than there is room for", {.run = a_write_of_too_much, .sleeps = true});
}

TEST(Stepping, APollEndsByARequestAtAnyInstruction) {
  expect_proof("io::poll", {.run = a_poll, .sleeps = true});
}

TEST(Stepping, AnyCallEndsByARequestAtAnyInstruction) {
  expect_proof("io::call", {.run = any_call, .sleeps = true});
}

TEST(Stepping, AReadWithATokenEndsByARequestAtAnyInstruction) {
  expect_proof("io::read with a stop token", {.run = a_read_with_a_token, .sleeps = true});
}

TEST(Stepping, ARequestInAHandlerOfTheProgramsEndsAReadAtAnyInstruction) {
  expect_proof("io::read, the request in a handler of the program's",
               {.run = a_read_and_a_nested_handler, .sleeps = true, .signal = SIGUSR1});
}
