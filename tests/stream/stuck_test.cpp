// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Threads that are in the way at the end: cancelled, stopped for good, waiting for one another.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

using namespace lastcall;
using namespace streams;

namespace {

std::atomic<bool> in_handler{false};
void never_returns(int) {
  in_handler = true;
  for (;;) ::pause();
}

// A stream whose lock is held for ever, by a thread that is inside the kernel's write or just before it.
buffered_writer& stuck_stream_to(const two_ends& pipe) {
  struct ::sigaction action {};
  action.sa_handler = never_returns;
  ::sigaction(SIGUSR1, &action, nullptr);
  auto& out = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "journal", .buffer = 16}};
  out.write("0123456789");
  auto& holder = *new blocked_writer{out, "needs room"};
  ::pthread_kill(holder.id, SIGUSR1);
  while (!in_handler) std::this_thread::yield();
  return out;
}

runtime_options quiet() {
  runtime_options options;
  options.on_report = [](const finalization_report&) {};
  options.stream_grace = 10ms;
  options.daemon_grace = 20s; // they get the time to end that a loaded machine takes for it
  return options;
}

class StuckStream : public testing::Test {
protected:
  StuckStream() { detail::set_write_through(false); } // of a test before
};

} // namespace

// A cancellation is acted upon where POSIX says so; the library's write is none of these places.
TEST_F(StuckStream, IsNotLeftLockedByACancelledThread) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  out.write("0123456789");
  std::atomic<wait::seat*> seat{nullptr};
  std::atomic<bool> over{false};
  struct context {
    buffered_writer& out;
    std::atomic<wait::seat*>& seat;
    std::atomic<bool>& over;
  } shared{out, seat, over};
  pthread_t thread{};
  ASSERT_EQ(::pthread_create(
                &thread, nullptr,
                [](void* all) -> void* {
                  auto& with = *static_cast<context*>(all);
                  with.seat = &wait::seat_here();
                  std::error_code error;
                  with.out.write("needs room", error);
                  with.over = true;
                  ::pthread_testcancel();
                  return nullptr;
                },
                &shared),
            0);
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
  ::pthread_cancel(thread);
  const auto ends = say_last_words(20ms); // it is nudged, and what takes its nudges is no such place, either
  EXPECT_EQ(ends.size(), 1U);
  detail::set_write_through(false);
  pipe.take(junk);
  void* result = nullptr;
  ::pthread_join(thread, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_TRUE(over);
  out.flush();
  EXPECT_EQ(pipe.drained(), "needs room"); // what was there before is reported
}

TEST_F(StuckStream, IsReportedAndEndsInTheStatus) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    pipe.fill();
    auto& out = stuck_stream_to(pipe);
    static runtime program{quiet()};
    const auto report = program.finalize(deadline::after(300ms));
    if (report.streams.size() != 1) return 1;
    const auto& end = report.streams[0];
    if (end.name != "journal" || end.uncertain != 10 || end.lost != 0 || end.holder.empty()) return 2;
    std::error_code error;
    if (out.write("refused", error) != 0 || error != stream_errc::stuck) return 3;
    std::exit(0); // by the handlers of exit, with a thread that never comes back
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST_F(StuckStream, IsAFatalErrorWhereThatIsWanted) {
  two_ends errors;
  const int status = testing_child::run([&]() -> int {
    ::dup2(errors.in(), 2);
    const two_ends pipe;
    pipe.fill();
    stuck_stream_to(pipe);
    auto options = quiet();
    options.on_stuck_stream = stuck_stream::fatal;
    runtime program{options};
    program.finalize(deadline::after(300ms));
    return 0;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
  const std::string text = errors.drained();
  EXPECT_NE(text.find("fatal: the lock of the stream 'journal' could not be had at the end"),
            std::string::npos)
      << text;
}

TEST_F(StuckStream, IsLeftByADaemonWhoseRuntimeEnds) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    pipe.fill();
    static buffered_writer* out = nullptr;
    out = new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "journal", .buffer = 16}};
    runtime program{quiet()};
    std::atomic<wait::seat*> seat{nullptr};
    daemon_thread writer{"writer", "writes for ever", [&] {
                           seat = &wait::seat_here();
                           for (;;) out->write("0123456789");
                         }};
    while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
    const auto report = program.finalize(deadline::after(1s));
    if (report.daemons_left + report.daemons_parked != 0) return 1;
    std::uint64_t lost = 0; // of both rounds: the daemon was let go on after the first
    for (const auto& end : report.streams) lost += end.lost;
    const auto counts = out->counts();
    return lost >= 10 && lost == counts.lost && lost == counts.accepted ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// It answers with the count of what the kernel has taken; the rest is still its writer's.
TEST_F(StuckStream, CutsALargeRecordWhereLastWordsFindIt) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  const std::string large(100'000, 'x');
  blocked_writer holder{out, large};
  EXPECT_EQ(pipe.take(8192).size(), 8192U);
  while (!pipe.is_readable_beyond(junk - 8192)) std::this_thread::yield();
  EXPECT_TRUE(say_last_words(20ms).empty()); // nothing that was accepted is lost
  holder.join();
  EXPECT_FALSE(holder.error);
  EXPECT_GT(holder.accepted, 0U);
  EXPECT_LT(holder.accepted, large.size());
  EXPECT_EQ(pipe.drained().size(), junk - 8192 + holder.accepted);
}

// Who holds the big lock and waits for the stream's would never get it from one who has that and waits for
// the big one.
TEST_F(StuckStream, IsNotWaitedForWithTheBigLockHeld) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  runtime program{quiet()};
  big_lock& lock = the_big_lock();
  std::atomic<wait::seat*> seat{nullptr};
  lastcall::thread holder{"holder", [&] {
                            seat = &wait::seat_here();
                            const std::scoped_lock both{lock};
                            out.write(std::string(20, 'x')); // gives the big lock up while it waits
                          }};
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
  lastcall::thread waiter{"waiter", [&] {
                            const std::scoped_lock both{lock};
                            out.write("waits");
                          }};
  {
    const std::scoped_lock both{lock};
    pipe.take(junk);
    out.write("and so does this");
  }
  holder.join();
  waiter.join();
  out.flush();
  const std::string all = pipe.drained();
  EXPECT_EQ(all.size(), 20U + 5 + 16);
}

// Of a small file system the first bytes are written, the others are not, and both are counted.
TEST_F(StuckStream, CountsWhatAFullFileSystemHasTaken) {
  const int status = testing_child::run([]() -> int {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/tmp", "tmpfs", 0, "size=64k") != 0)
      return 77;
    const int fd = ::open("/tmp/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return 1;
    auto out = make_writer(fd, 131072);
    for (int i = 0; i < 100; ++i) out.write(std::string(1000, 'x'));
    std::error_code error;
    out.flush(error);
    if (error.value() != ENOSPC) return 2;
    const auto ends = say_last_words(1s);
    const auto size = static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_END));
    if (size == 0 || size > 65536) return 3;
    return ends.size() == 1 && ends[0].written == size && ends[0].lost == 100'000 - size ? 0 : 4;
  });
  if (testing_child::exited_with(status, 77)) GTEST_SKIP() << "no file system may be mounted here";
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}
