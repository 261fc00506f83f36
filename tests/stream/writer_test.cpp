// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"
#include "wait/seat.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

using namespace lastcall;
using namespace streams;

TEST(BufferedWriter, KeepsRecordsUntilTheBufferIsFull) {
  const two_ends pipe;
  auto out = make_writer(pipe.in(), 16);
  EXPECT_EQ(out.write("0123456789"), 10U);
  EXPECT_EQ(pipe.drained(), "");
  EXPECT_EQ(out.write("abcdefghij"), 10U); // does not fit behind the first
  EXPECT_EQ(pipe.drained(), "0123456789");
  const auto counts = out.counts();
  EXPECT_EQ(counts.accepted, 20U);
  EXPECT_EQ(counts.written, 10U);
  EXPECT_EQ(counts.buffered, 10U);
  EXPECT_EQ(counts.lost, 0U);
}

TEST(BufferedWriter, WritesARecordThatGoesAroundTheEndOfTheRing) {
  const two_ends pipe;
  auto out = make_writer(pipe.in(), 16);
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string record(static_cast<std::size_t>(i % 15 + 1), static_cast<char>('a' + i % 26));
    EXPECT_EQ(out.write(record), record.size());
    all += record;
  }
  out.flush();
  EXPECT_EQ(pipe.drained(), all);
}

TEST(BufferedWriter, FlushesALineInLineMode) {
  const two_ends pipe;
  auto out = make_writer(pipe.in(), 64, flush_mode::line);
  out.write("half");
  EXPECT_EQ(pipe.drained(), "");
  out.write(" a line\nand");
  EXPECT_EQ(pipe.drained(), "half a line\nand");
}

TEST(BufferedWriter, FindsOutThatADescriptorIsATerminal) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  auto to_terminal = make_writer(terminal, 64, flush_mode::automatic);
  to_terminal.write("line\n");
  EXPECT_EQ(to_terminal.counts().buffered, 0U);
  const two_ends pipe;
  auto to_pipe = make_writer(pipe.in(), 64, flush_mode::automatic);
  to_pipe.write("line\n");
  EXPECT_EQ(to_pipe.counts().buffered, 5U);
  to_terminal.close();
  ::close(terminal);
}

TEST(BufferedWriter, WritesALargeRecordBehindWhatIsBuffered) {
  const two_ends pipe;
  auto out = make_writer(pipe.in(), 16);
  const std::string large(5000, 'x');
  out.write("small");
  EXPECT_EQ(out.write(large), large.size());
  EXPECT_EQ(pipe.drained(), "small" + large);
  EXPECT_EQ(out.counts().written, 5005U);
}

TEST(BufferedWriter, TakesNothing) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  EXPECT_EQ(out.write(std::string_view{}), 0U);
  EXPECT_EQ(out.counts().accepted, 0U);
}

TEST(BufferedWriter, FlushesOnCloseAndAtItsEnd) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  out.write("closed");
  out.close();
  EXPECT_EQ(pipe.drained(), "closed");
  { make_writer(pipe.in()).write("destroyed"); }
  EXPECT_EQ(pipe.drained(), "destroyed");
}

TEST(BufferedWriter, RefusesRecordsOnceItIsClosed) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  out.close();
  std::error_code error;
  EXPECT_EQ(out.write("late", error), 0U);
  EXPECT_EQ(error, stream_errc::closed);
  EXPECT_THROW(out.write("late"), stream_error);
  EXPECT_THROW(out.flush(), stream_error);
  EXPECT_EQ(out.counts().accepted, 0U);
}

TEST(BufferedWriter, ClosesTheDescriptorItOwns) {
  const two_ends pipe;
  const int own = ::dup(pipe.in());
  {
    buffered_writer out{raw_fd::own(own)};
    out.write("x");
    EXPECT_EQ(out.fd(), own);
    out.close();
    EXPECT_EQ(out.fd(), -1);
  }
  EXPECT_LT(::fcntl(own, F_GETFD), 0);
  EXPECT_GE(::fcntl(pipe.in(), F_GETFD), 0);
}

// Records of three threads, each known by its letter and length, in lines of one letter.
TEST(BufferedWriter, NeverPutsRecordsIntoEachOther) {
  const two_ends pipe;
  std::string all;
  std::thread reader{[&] {
    std::array<char, 4096> some{};
    for (ssize_t n = 0; (n = ::read(pipe.out(), some.data(), some.size())) > 0;)
      all.append(some.data(), static_cast<std::size_t>(n));
  }};
  constexpr int each = 3000;
  {
    buffered_writer out{raw_fd::own(::dup(pipe.in())), {.buffer = 64}};
    std::vector<std::thread> writers;
    for (const char letter : {'a', 'b', 'c'})
      writers.emplace_back([&out, letter] {
        for (int i = 0; i < each; ++i) {
          // Now and then one that is larger than the buffer.
          std::string record(i % 50 == 0 ? 200U : static_cast<std::size_t>(i % 40 + 1), letter);
          record.push_back('\n');
          EXPECT_EQ(out.write(record), record.size());
        }
      });
    for (auto& writer : writers) writer.join();
  }
  const_cast<two_ends&>(pipe).close_in();
  reader.join();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < all.size(); ++lines) {
    const std::size_t end = all.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    ASSERT_EQ(all.find_first_not_of(all[at], at), end) << "two threads in one record";
    at = end + 1;
  }
  EXPECT_EQ(lines, 3U * each);
}

TEST(BufferedWriter, GoesOnAfterADescriptorHadNoRoom) {
  const two_ends pipe;
  ::fcntl(pipe.in(), F_SETFL, O_NONBLOCK);
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  std::thread writer{[&] {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(out.write("0123456789"), 10U);
    out.flush();
  }};
  EXPECT_EQ(pipe.take(junk).size(), junk);
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += "0123456789";
  EXPECT_EQ(pipe.take(100), expected);
  writer.join();
}

namespace {

buffered_writer* in_handler = nullptr;
std::error_code handler_error;
std::atomic<std::size_t> handler_accepted{1};

void write_in_handler(int) {
  const int kept = errno;
  std::error_code error;
  const std::size_t accepted = in_handler->write("handler", error);
  handler_error = error; // published by the next
  handler_accepted = accepted;
  errno = kept;
}

} // namespace

TEST(BufferedWriter, SaysThatItWasReenteredInsteadOfWaitingForItself) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  in_handler = &out;
  struct ::sigaction action {};
  action.sa_handler = write_in_handler;
  ::sigaction(SIGUSR1, &action, nullptr);
  std::atomic<pthread_t> self{};
  std::atomic<lastcall::wait::seat*> seat{nullptr};
  std::thread writer{[&] {
    self = ::pthread_self();
    seat = &lastcall::wait::seat_here();
    EXPECT_EQ(out.write(std::string(20, 'x')), 20U); // waits, with the lock, for room in the pipe
  }};
  // Before it waits the handler's record would be just one more, and then one that waits for room itself.
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
  ::pthread_kill(self, SIGUSR1);
  while (handler_accepted == 1) std::this_thread::yield();
  EXPECT_EQ(handler_accepted, 0U);
  EXPECT_EQ(handler_error, stream_errc::reentered);
  pipe.take(junk);
  writer.join();
  const std::string rest = pipe.drained();
  EXPECT_NE(rest.find(std::string(20, 'x')), std::string::npos);
}
