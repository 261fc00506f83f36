// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Threads that leave a stream's call by another way than its end, and last words without descriptors.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/runtime.hpp>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/syscall.h>

using namespace lastcall;
using namespace streams;

namespace {

runtime_options quiet() {
  runtime_options options;
  options.stream_grace = 10ms;
  options.on_report = [](const finalization_report&) {};
  return options;
}

void ends_its_thread(int) { ::syscall(SYS_exit, 0); }
void exits_its_thread(int) { ::pthread_exit(nullptr); }
std::atomic<bool> in_handler{false};
void never_returns(int) {
  in_handler = true;
  for (;;) ::pause();
}

// A stream with ten bytes in it, whose lock is held by a thread in a write of it.
struct held {
  explicit held(void (*handler)(int) = never_returns) {
    struct ::sigaction action {};
    action.sa_handler = handler;
    ::sigaction(SIGUSR1, &action, nullptr);
    pipe.fill();
    out.write("0123456789");
    holder = new blocked_writer{out, "needs room"};
  }
  const two_ends pipe;
  buffered_writer& out = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = 16}};
  blocked_writer* holder = nullptr;
};

} // namespace

TEST(LeftFromTheSide, ByARawExitOfItsThreadLeavesWhatWasInFlightUncertain) {
  const int status = testing_child::run([]() -> int {
    runtime program{quiet()};
    const held stream{ends_its_thread};
    ::pthread_kill(stream.holder->id, SIGUSR1);
    const auto report = program.finalize(deadline::after(5s));
    if (report.streams.size() != 1 || report.streams[0].uncertain != 10 || report.streams[0].lost != 0)
      return 1;
    std::error_code error;
    return stream.out.write("x", error) == 0 && error == stream_errc::stuck ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// It would unwind functions that throw nothing: the end of the program, with its last words.
TEST(LeftFromTheSide, ByPthreadExitInAHandlerEndsTheProgram) {
  const int status = testing_child::run([]() -> int {
    const runtime program{quiet()};
    const held stream{exits_its_thread};
    ::pthread_kill(stream.holder->id, SIGUSR1);
    for (;;) ::pause();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
}

TEST(LeftFromTheSide, ByAnAsynchronousCancellationEndsTheProgram) {
  const int status = testing_child::run([]() -> int {
    const runtime program{quiet()};
    const two_ends pipe;
    pipe.fill();
    buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = 16}};
    out.write("0123456789");
    std::atomic<wait::seat*> seat{nullptr};
    std::thread holder{[&] {
      ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
      seat = &wait::seat_here();
      std::error_code error;
      out.write("needs room", error);
    }};
    while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
    ::pthread_cancel(holder.native_handle());
    for (;;) ::pause();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
}

// UndefinedBehaviorSanitizer, which comes with it here, looks at memory through a pipe: without descriptors
// every object is none to it.
#if defined(__SANITIZE_ADDRESS__)
#define NEEDS_NO_DESCRIPTORS() GTEST_SKIP() << "the sanitizer needs descriptors"
#else
#define NEEDS_NO_DESCRIPTORS() static_cast<void>(0)
#endif

TEST(WithoutDescriptors, LastWordsAreHeardAndAHolderHasANumber) {
  NEEDS_NO_DESCRIPTORS();
  const int status = testing_child::run([]() -> int {
    const two_ends free;
    runtime program{quiet()};
    auto& well = *new buffered_writer{raw_fd::borrow(free.in()), {.name = "well"}};
    well.write("written");
    const held stream;
    ::pthread_kill(stream.holder->id, SIGUSR1);
    while (!in_handler) std::this_thread::yield();
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto report = program.finalize(deadline::after(300ms));
    if (free.drained() != "written") return 1;
    if (report.streams.size() != 1 || report.streams[0].uncertain != 10) return 2;
    return report.streams[0].holder.find_first_of("0123456789") != std::string::npos ? 0 : 3;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

TEST(WithoutDescriptors, ADestructorWritesAndCloses) {
  NEEDS_NO_DESCRIPTORS();
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    const runtime program{quiet()};
    {
      buffered_writer out{raw_fd::own(::dup(pipe.in()))};
      out.write("written");
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_NOFILE, &none);
    }
    return pipe.drained() == "written" ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}
