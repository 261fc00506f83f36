// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Last words that wait for ever, and somebody who cannot wait: a hurry, an exit at once, a terminate.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/runtime.hpp>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <thread>

using namespace lastcall;
using namespace streams;

namespace {

runtime_options quiet() {
  runtime_options options;
  options.on_report = [](const finalization_report&) {};
  return options;
}

void never_returns(int) {
  for (;;) ::pause();
}

// A runtime with a stream that cannot be written, whose finalization has all the time there is and is in the
// middle of its last words.
struct an_end_without_end {
  an_end_without_end() {
    pipe.fill();
    out.write("hello");
    finalizing = std::thread{[this] {
      report = program.finalize(deadline::never());
      over = true;
    }};
    while (!detail::lists_last_words()) std::this_thread::yield();
  }
  const two_ends pipe;
  runtime& program = *new runtime{quiet()};
  buffered_writer& out = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "test"}};
  finalization_report report;
  std::atomic<bool> over{false};
  std::thread finalizing;
};

} // namespace

// Its deadline was computed once, before the hurry.
TEST(HurriedWords, OfAFinalizationThatWaitsForAPipe) {
  const int status = testing_child::run([]() -> int {
    an_end_without_end it;
    runtime::hurry(deadline::after(1ms));
    it.finalizing.join();
    return it.report.streams.size() == 1 && it.report.streams[0].lost == 5 ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

TEST(HurriedWords, OfAFinalizationThatWaitsForALock) {
  const int status = testing_child::run([]() -> int {
    struct ::sigaction action {};
    action.sa_handler = never_returns;
    ::sigaction(SIGUSR1, &action, nullptr);
    const two_ends pipe;
    pipe.fill();
    auto options = quiet();
    options.stream_grace = 1h;
    runtime program{options};
    auto& out = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = 16}};
    out.write("0123456789");
    auto& holder = *new blocked_writer{out, "needs room"};
    ::pthread_kill(holder.id, SIGUSR1);
    std::thread finalizing{[&] { program.finalize(deadline::never()); }};
    while (!detail::lists_last_words()) std::this_thread::yield();
    runtime::hurry(deadline::after(1ms));
    finalizing.join();
    return 0;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// It waited for the round's lock, without limit.
TEST(HurriedWords, OfAQuickExitGiveUpWhereOthersAreLate) {
  const int status = testing_child::run([]() -> int {
    an_end_without_end it;
    std::quick_exit(3);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 3)) << status;
}

TEST(HurriedWords, OfATerminateGiveUpWhereOthersAreLate) {
  const int status = testing_child::run([]() -> int {
    an_end_without_end it;
    std::terminate();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
}
