// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_reader.hpp>

#include "interrupt/child.hpp"
#include "wait/seat.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace lastcall;
using namespace streams;

namespace {

void put(int fd, const std::string& text) {
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

buffered_reader make_reader(int fd, std::size_t buffer = 16) {
  return buffered_reader{raw_fd::borrow(fd), {.name = "test", .buffer = buffer}};
}

void wait_until_blocked(const std::atomic<wait::seat*>& seat) {
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
}

} // namespace

TEST(BufferedReader, ReadsLinesOfAnyLength) {
  two_ends pipe;
  const std::string longer(1000, 'x');
  put(pipe.in(), "one\n\n" + longer + "\nlast");
  pipe.close_in();
  auto in = make_reader(pipe.out());
  std::string line;
  std::vector<std::string> all;
  while (in.read_line(line)) all.push_back(line);
  EXPECT_EQ(all, (std::vector<std::string>{"one", "", longer, "last"}));
  EXPECT_FALSE(in.read_line(line));
}

TEST(BufferedReader, ReadsWhatIsThere) {
  two_ends pipe;
  auto in = make_reader(pipe.out());
  put(pipe.in(), "0123456789");
  std::array<char, 4> few{};
  EXPECT_EQ(in.read(std::span{few}), 4U);
  std::array<char, 64> many{};
  EXPECT_EQ(in.read(std::span{many}), 6U); // what was buffered, without a wait for more
  EXPECT_EQ(std::string(many.data(), 6), "456789");
  put(pipe.in(), std::string(40, 'x'));
  EXPECT_EQ(in.read(std::span{many}), 40U);
  pipe.close_in();
  EXPECT_EQ(in.read(std::span{many}), 0U);
}

TEST(BufferedReader, FindsADelimiterInWhatAnotherSearchHasPassed) {
  two_ends pipe;
  put(pipe.in(), "a;b\nc;");
  pipe.close_in();
  auto in = make_reader(pipe.out());
  std::string piece;
  EXPECT_TRUE(in.read_until('\0', piece) && piece == "a;b\nc;");
  EXPECT_FALSE(in.read_until(';', piece));
}

TEST(BufferedReader, WaitsOnADescriptorThatDoesNot) {
  two_ends pipe;
  ::fcntl(pipe.out(), F_SETFL, O_NONBLOCK);
  auto in = make_reader(pipe.out());
  std::atomic<wait::seat*> seat{nullptr};
  std::string line;
  std::thread reader{[&] {
    seat = &wait::seat_here();
    EXPECT_TRUE(in.read_line(line));
  }};
  wait_until_blocked(seat);
  put(pipe.in(), "after all\n");
  reader.join();
  EXPECT_EQ(line, "after all");
}

TEST(BufferedReader, SaysWhatTheDescriptorSaysAndThatItIsClosed) {
  auto broken = make_reader(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string line;
  std::error_code error;
  EXPECT_FALSE(broken.read_line(line, error));
  EXPECT_EQ(error, std::errc::is_a_directory);
  EXPECT_THROW(broken.read_line(line), stream_error);
  broken.close();
  EXPECT_FALSE(broken.read_line(line, error));
  EXPECT_EQ(error, stream_errc::closed);
}

TEST(BufferedReader, SplitsNoLineBetweenThreads) {
  two_ends pipe;
  constexpr int lines = 4000;
  std::thread writer{[&] {
    std::string all;
    for (int i = 0; i < lines; ++i) all += "line " + std::to_string(i) + "\n";
    for (std::size_t at = 0; at < all.size(); at += 999) put(pipe.in(), all.substr(at, 999));
    pipe.close_in();
  }};
  auto in = make_reader(pipe.out(), 64);
  std::array<std::vector<std::string>, 3> got;
  std::vector<std::thread> readers;
  for (auto& mine : got)
    readers.emplace_back([&in, &mine] {
      for (std::string line; in.read_line(line);) mine.push_back(line);
    });
  writer.join();
  std::set<std::string> all;
  for (auto& reader : readers) reader.join();
  for (const auto& each : got) all.insert(each.begin(), each.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(lines));
  EXPECT_TRUE(all.contains("line 0") && all.contains("line " + std::to_string(lines - 1)));
}

// The request comes in the middle of a line; what was read of it is there afterwards.
TEST(BufferedReader, LosesNothingToARequest) {
  two_ends pipe;
  signal_scope scope;
  auto in = make_reader(pipe.out(), 64);
  put(pipe.in(), "the first half");
  const wait::seat& mine = wait::seat_here();
  std::thread interrupter{[&] {
    for (int blocked = 0; blocked < 2;) // its second call, for there was something for the first
      if (mine.watched.load() != nullptr && pipe.drained().empty()) ++blocked;
    interrupt_main();
  }};
  std::string line;
  EXPECT_THROW(in.read_line(line), interrupted);
  interrupter.join();
  scope.acknowledge();
  put(pipe.in(), " and the second\nnext\n");
  EXPECT_TRUE(in.read_line(line));
  EXPECT_EQ(line, "the first half and the second");
  std::error_code error;
  std::raise(SIGINT);
  EXPECT_TRUE(in.read_line(line, error)); // is there already: no wait, no delivery
  EXPECT_EQ(line, "next");
  EXPECT_FALSE(in.read_line(line, error));
  EXPECT_EQ(error, stop_errc::interrupted);
  scope.acknowledge();
}

TEST(BufferedReader, IsLeftByADaemonAtTheEnd) {
  const int status = testing_child::run([]() -> int {
    two_ends pipe;
    std::atomic<wait::seat*> seat{nullptr};
    static buffered_reader* in = nullptr;
    in = new buffered_reader{raw_fd::borrow(pipe.out())};
    runtime program{{.daemon_grace = std::chrono::seconds{20}}};
    daemon_thread reader{"reader", "waits for what never comes", [&] {
                           seat = &wait::seat_here();
                           std::string line;
                           in->read_line(line);
                         }};
    wait_until_blocked(seat);
    const auto report = program.finalize();
    if (!report.clean() || report.daemons_left + report.daemons_parked != 0) return 1;
    put(pipe.in(), "for the next one\n"); // its lock is free
    std::string line;
    return in->read_line(line) && line == "for the next one" ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

TEST(BufferedReader, LeavesToTheParentWhatItHasReadAhead) {
  two_ends pipe;
  put(pipe.in(), "one\ntwo\n");
  auto in = make_reader(pipe.out(), 64);
  std::string line;
  EXPECT_TRUE(in.read_line(line));
  const int status = testing_child::run([&]() -> int {
    put(pipe.in(), "three\n");
    return in.read_line(line) && line == "three" ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  EXPECT_TRUE(in.read_line(line));
  EXPECT_EQ(line, "two");
}
