// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Destructors that have something to write: to descriptors that take nothing, past locks that nobody gives
/// back, beside last words that are late. They used to wait without end. A child's alarm ends those that do.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_file.hpp>
#include <lastcall/stream/buffered_reader.hpp>
#include <lastcall/stream/record.hpp>
#include <lastcall/stream/stream_buffer.hpp>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <thread>

#include <sys/syscall.h>

using namespace lastcall;
using namespace streams;

namespace {

runtime_options with(duration budget) {
  runtime_options options;
  options.budget = budget;
  options.stream_grace = 10ms;
  options.on_report = [](const finalization_report&) {};
  return options;
}

// Whether the report has one entry, of "test", with so many bytes lost and uncertain.
bool says(const finalization_report& report, std::uint64_t lost, std::uint64_t uncertain = 0) {
  return !report.clean() && report.streams.size() == 1 && report.streams[0].name == "test" &&
         report.streams[0].lost == lost && report.streams[0].uncertain == uncertain;
}

void ends_its_thread(int) { ::syscall(SYS_exit, 0); }
std::atomic<bool> in_handler{false};
void never_returns(int) {
  in_handler = true;
  for (;;) ::pause();
}

// Has `out`, which has a buffer of 16 bytes, held by a thread in a write, and then in `handler`.
void have_it_held(buffered_writer& out, void (*handler)(int)) {
  struct ::sigaction action {};
  action.sa_handler = handler;
  ::sigaction(SIGUSR1, &action, nullptr);
  out.write("0123456789");
  auto& holder = *new blocked_writer{out, "needs room"};
  ::pthread_kill(holder.id, SIGUSR1);
}

} // namespace

// With a reader that has stopped it cost the process.
TEST(StreamDestructor, OfAWriterOnAFullPipeTakesItsBudgetAndIsInTheReport) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    pipe.fill();
    runtime program{with(100ms)};
    { make_writer(pipe.in()).write("hello"); }
    if (!says(program.finalize(), 5)) return 1;
    std::exit(0);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST(StreamDestructor, WritesAllToAReaderThatReads) {
  const two_ends pipe;
  const std::string all(300'000, 'x');
  std::string read;
  std::thread reader{[&] { read = pipe.take(all.size()); }};
  {
    buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "large", .buffer = std::size_t{1} << 19U}};
    EXPECT_EQ(out.write(all), all.size());
  }
  reader.join();
  EXPECT_EQ(read, all);
  EXPECT_FALSE(detail::output_was_lost());
}

// It takes its bytes for as long as there are some, and so the writer took as long as it liked.
TEST(StreamDestructor, DoesNotWaitForAReaderOfAFewBytesAtATime) {
  for (const auto kind : {two_ends::kind::pipe, two_ends::kind::socket}) {
    const int status = testing_child::run([&]() -> int {
      const two_ends pipe{kind};
      runtime program{with(200ms)};
      std::atomic<bool> over{false};
      std::atomic<std::size_t> got{0};
      std::thread reader{[&] { // at its own pace, which would take half an hour
        for (char byte = 0; !over && ::read(pipe.out(), &byte, 1) == 1; ++got)
          std::this_thread::sleep_for(2ms);
      }};
      {
        buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = std::size_t{1} << 20U}};
        out.write(std::string(900'000, 'x'));
      }
      over = true;
      reader.join();
      const auto report = program.finalize();
      if (report.streams.size() != 1) return 1;
      const auto& end = report.streams[0];
      if (end.written + end.lost != 900'000 || end.lost == 0 || end.uncertain != 0) return 2;
      return end.written == got + pipe.drained().size() ? 0 : 3;
    });
    EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  }
}

TEST(StreamDestructor, PassesAHolderByWhoseThreadHasEndedInsideItsWrite) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    pipe.fill();
    runtime program{with(5s)};
    auto* const out = new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = 16}};
    have_it_held(*out, ends_its_thread);
    delete out;
    const auto report = program.finalize();
    if (!says(report, 0, 10) || report.streams[0].holder.empty()) return 1;
    return detail::output_was_lost() ? 0 : 2; // without the search for leaks: the thread could free nothing
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// The runtime was over, and nothing but this destructor kept the process.
TEST(StreamDestructor, OfAStaticDoesNotWaitForAHolderThatNeverComesBack) {
  const int status = testing_child::run([]() -> int {
    static const two_ends pipe;
    pipe.fill();
    auto options = with(200ms);
    options.exit_guard = 0ms;
    static runtime program{options};
    static buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "test", .buffer = 16}};
    have_it_held(out, never_returns);
    while (!in_handler) std::this_thread::yield();
    std::exit(0);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST(StreamDestructor, OfAnOstreamThatWasLedInTakesTheBudgetAndLosesNothing) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    const std::size_t junk = pipe.fill();
    runtime program{with(100ms)};
    auto out = make_writer(pipe.in());
    std::ostream text{nullptr};
    {
      const redirected led{text, out};
      text << "kept";
    }
    if (out.counts().buffered != 4) return 1; // it is the writer's, which lives on
    pipe.take(junk);
    out.flush();
    return pipe.drained() == "kept" && program.finalize().clean() ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

TEST(StreamDestructor, OfARecordTakesTheBudgetAndSaysWhatIsLost) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    const std::size_t junk = pipe.fill();
    runtime program{with(100ms)};
    auto out = make_writer(pipe.in(), 16);
    out.write("0123456789");
    { record{out}.append("needs room"); }
    if (out.counts().accepted != 10) return 1;
    { record{out}.append("fits"); }
    pipe.take(junk);
    out.flush();
    if (pipe.drained() != "0123456789fits") return 2;
    return says(program.finalize(), 10) ? 0 : 3;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

TEST(StreamDestructor, IsHurriedWithItsRuntime) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    pipe.fill();
    runtime program{with(1h)};
    std::atomic<bool> begun{false};
    std::thread other{[&] {
      while (!begun) std::this_thread::yield();
      runtime::hurry(deadline::after(1ms));
    }};
    {
      auto out = make_writer(pipe.in());
      out.write("hello");
      begun = true;
    }
    other.join();
    return says(program.finalize(deadline::after(1s)), 5) ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// A round that waits for a pipe has the list of all streams.
TEST(StreamDestructor, DoesNotWaitForLastWordsThatAreLate) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe, free, empty;
    pipe.fill();
    runtime program{with(100ms)};
    auto& stuck = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "stuck"}};
    auto out = std::make_unique<buffered_writer>(raw_fd::borrow(free.in()));
    auto in = std::make_unique<buffered_reader>(raw_fd::borrow(empty.out()));
    auto& last = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "first asked"}};
    stuck.write("stuck");
    last.write("newest");
    out->write("whole");
    std::thread other{[&] { program.finalize(deadline::never()); }};
    while (!detail::lists_last_words()) std::this_thread::yield();
    out.reset();
    in.reset();
    if (free.drained() != "whole") return 1;
    _exit(0); // the other one is still at it
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}
