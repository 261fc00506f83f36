// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"

#include <lastcall/interrupt/io/transfer.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/wait/clock.hpp>

#include "interrupt/child.hpp"
#include "wait/seat.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <semaphore>
#include <string>
#include <thread>

#include <sys/mman.h>

using namespace lastcall;
using namespace streams;

namespace {

class StreamLastWords : public testing::Test {
protected:
  StreamLastWords() { detail::set_write_through(false); }
};

// Stops a thread anywhere, for as long as the test wants, as a handler of the program's may.
std::atomic<bool> in_pause{false};
std::binary_semaphore end_of_pause{0};
void pause_here(int) {
  const int before = errno;
  in_pause = true;
  end_of_pause.acquire();
  errno = before;
}

} // namespace

TEST_F(StreamLastWords, WriteWhatIsBuffered) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  out.write("accepted");
  EXPECT_TRUE(say_last_words(1s).empty());
  EXPECT_EQ(pipe.drained(), "accepted");
  out.write("and from now on at once");
  EXPECT_EQ(pipe.drained(), "and from now on at once");
  detail::set_write_through(false); // the next runtime begins
  out.write("kept");
  out.write(" again");
  EXPECT_EQ(pipe.drained(), "");
}

TEST_F(StreamLastWords, AreHeardOfAStreamThatIsMadeLate) {
  const two_ends pipe;
  say_last_words(1s);
  auto out = make_writer(pipe.in());
  out.write("at once");
  EXPECT_EQ(pipe.drained(), "at once");
}

TEST_F(StreamLastWords, CountWhatADescriptorDoesNotTake) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in());
  out.write("lost");
  const auto ends = say_last_words(10ms);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].name, "test");
  EXPECT_EQ(ends[0].holder, "");
  EXPECT_EQ(ends[0].written, 0U);
  EXPECT_EQ(ends[0].lost, 4U);
  EXPECT_EQ(ends[0].uncertain, 0U);
  EXPECT_TRUE(detail::output_was_lost());
  EXPECT_EQ(pipe.take(junk).size(), junk);
  EXPECT_EQ(pipe.drained(), "");
  EXPECT_EQ(out.counts().lost, 4U);
}

TEST_F(StreamLastWords, OfTheFirstRoundLeaveTheRestToTheLast) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in());
  out.write("there is time");
  EXPECT_TRUE(say_last_words(10ms, 0ms, false).empty());
  EXPECT_EQ(pipe.take(junk).size(), junk);
  EXPECT_TRUE(say_last_words(1s).empty());
  EXPECT_EQ(pipe.drained(), "there is time");
}

TEST_F(StreamLastWords, TakeAPartWhereThereIsRoomForAPart) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "large", .buffer = 32768}};
  std::string all;
  for (int i = 0; i < 32; ++i) all += std::string(1000, static_cast<char>('a' + i % 26));
  out.write(all);
  EXPECT_EQ(pipe.take(8192).size(), 8192U);
  const auto ends = say_last_words(20ms);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].written + ends[0].lost, all.size());
  EXPECT_GE(ends[0].written, 4096U);
  pipe.take(junk - 8192);
  EXPECT_EQ(pipe.drained(), all.substr(0, ends[0].written));
}

TEST_F(StreamLastWords, NameTheErrorOfABrokenStream) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  auto out = make_writer(full);
  out.write("abc");
  const auto ends = say_last_words(1s);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].lost, 3U);
  EXPECT_EQ(ends[0].error, std::error_code(ENOSPC, std::system_category()));
  EXPECT_TRUE(say_last_words(1s).empty()); // said once
  std::error_code error;
  EXPECT_EQ(out.write("more", error), 0U);
  EXPECT_EQ(error.value(), ENOSPC);
  ::close(full);
}

// The reader takes all that lies in the pipe but one page's worth, so the holder stays blocked with a part
// written; asked, it says how much, and last words go on at that very byte.
TEST_F(StreamLastWords, GoOnWhereTheHolderCameOutOfItsWrite) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  buffered_writer out{raw_fd::borrow(pipe.in()), {.name = "large", .buffer = 32768}};
  std::string all;
  for (int i = 0; i < 30; ++i) all += std::string(1000, static_cast<char>('a' + i % 26));
  out.write(all);
  blocked_writer holder{out, std::string(10'000, '!')};
  EXPECT_EQ(pipe.take(12'288).size(), 12'288U); // room for a part of the write
  std::vector<stream_end> ends;
  std::thread reader{[&] {
    while (!detail::write_through()) std::this_thread::yield();
    EXPECT_EQ(pipe.take(junk - 12'288).size(), junk - 12'288);
    EXPECT_EQ(pipe.take(all.size()), all);
    EXPECT_EQ(pipe.take(10'000), std::string(10'000, '!'));
  }};
  ends = say_last_words(10s);
  reader.join();
  holder.join();
  EXPECT_TRUE(ends.empty());
  EXPECT_EQ(holder.accepted, 10'000U);
  EXPECT_EQ(pipe.drained(), "");
}

TEST_F(StreamLastWords, CountWhatAHolderInAFullPipeHadAccepted) {
  const two_ends pipe;
  pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  out.write("0123456789");
  blocked_writer holder{out, "needs room"};
  const auto ends = say_last_words(20ms);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_NE(ends[0].holder, "");
  EXPECT_EQ(ends[0].lost, 10U);
  EXPECT_EQ(ends[0].uncertain, 0U);
  std::string rest = pipe.drained();
  holder.join(); // its record was not accepted then, and is written now
  rest += pipe.drained();
  EXPECT_EQ(holder.accepted, 10U);
  EXPECT_EQ(rest.find("0123456789"), std::string::npos);
  EXPECT_TRUE(rest.ends_with("needs room"));
}

TEST_F(StreamLastWords, SayThatAHolderWhoDoesNotAnswerMayHaveWritten) {
  struct ::sigaction action {};
  action.sa_handler = pause_here;
  ::sigaction(SIGUSR1, &action, nullptr);
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  out.write("0123456789");
  std::atomic<pthread_t> id{};
  std::atomic<wait::seat*> seat{nullptr};
  std::error_code error;
  std::size_t accepted = 0;
  std::thread holder{[&] {
    id = ::pthread_self();
    seat = &wait::seat_here();
    accepted = out.write("needs room", error);
  }};
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
  ::pthread_kill(id, SIGUSR1);
  while (!in_pause) std::this_thread::yield();
  // One that waits for the lock is told, too, instead of waiting for good.
  std::error_code refused;
  std::thread waiter{[&] { out.write("x", refused); }};
  const auto ends = say_last_words(20ms);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].uncertain, 10U);
  EXPECT_EQ(ends[0].lost, 0U);
  EXPECT_NE(ends[0].holder, "");
  waiter.join();
  EXPECT_EQ(refused, stream_errc::stuck);
  std::error_code late;
  EXPECT_EQ(out.write("x", late), 0U);
  EXPECT_EQ(late, stream_errc::stuck);
  pipe.take(junk);
  EXPECT_EQ(pipe.drained(), "");
  end_of_pause.release();
  holder.join();
  EXPECT_EQ(accepted, 10U);
  EXPECT_EQ(pipe.drained(), "0123456789needs room");
  out.write("well again");
  EXPECT_EQ(pipe.drained(), "well again");
}

namespace {

int spam(int out) {
  lastcall::runtime program{{.name = "spam", .stream_grace = 100ms}};
  static buffered_writer* all = nullptr;
  all = new buffered_writer{raw_fd::borrow(out), {.name = "out", .flush = flush_mode::line, .buffer = 256}};
  for (int i = 0; i < 10; ++i) {
    daemon_thread{"spammer", "says SPAM for ever", [] {
                    for (;;) all->write("SPAM SPAM SPAM!\n");
                  }};
  }
  for (int i = 0; i < 20; ++i) all->write("SPAM SPAM SPAM!\n");
  const auto report = program.finalize();
  if (!report.streams.empty()) return 1;
  all->write("main thread exited\n");
  return 0;
}

} // namespace

TEST_F(StreamLastWords, OfThreadsThatWriteForEverAreWhole) {
  const int file = ::memfd_create("spam", MFD_CLOEXEC);
  const int status = testing_child::run([&] { return spam(file); });
  std::string all(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  ASSERT_EQ(::pread(file, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  ::close(file);
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  const std::string spam = "SPAM SPAM SPAM!\n", last = "main thread exited\n";
  ASSERT_GE(all.size(), last.size());
  ASSERT_TRUE(all.ends_with(last)) << all.substr(all.size() - 40);
  all.resize(all.size() - last.size());
  ASSERT_EQ(all.size() % spam.size(), 0U);
  for (std::size_t at = 0; at < all.size(); at += spam.size())
    ASSERT_EQ(all.compare(at, spam.size(), spam), 0);
}

TEST_F(StreamLastWords, AreHeardAtTheExitOfAProcessWithoutARuntime) {
  const two_ends pipe;
  const int status = testing_child::run([&]() -> int {
    auto* out = new buffered_writer{raw_fd::borrow(pipe.in())}; // nobody destroys it
    out->write("written at exit");
    std::exit(0);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  EXPECT_EQ(pipe.drained(), "written at exit");
}

TEST_F(StreamLastWords, ThatWereLostMakeTheStatus) {
  const int status = testing_child::run([]() -> int {
    auto* out = new buffered_writer{raw_fd::own(::open("/dev/full", O_WRONLY))};
    out->write("lost");
    std::exit(0);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST_F(StreamLastWords, OfAChildAreItsOwn) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  out.write("parent");
  const int status = testing_child::run([&]() -> int {
    out.write("child");
    std::exit(out.counts().accepted == 5 ? 0 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  EXPECT_EQ(pipe.drained(), "child");
  out.flush();
  EXPECT_EQ(pipe.drained(), "parent");
}

TEST_F(StreamLastWords, OfAChildDoNotWaitForAThreadOfItsParents) {
  const two_ends full, pipe;
  const std::size_t junk = full.fill();
  auto out = make_writer(full.in(), 16);
  out.write("0123456789");
  blocked_writer holder{out, "needs room"};
  const int status = testing_child::run([&]() -> int {
    if (::dup2(pipe.in(), full.in()) < 0) return 1;
    out.write("child");
    out.flush();
    return out.counts().written == 5 ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  EXPECT_EQ(pipe.drained(), "child");
  full.take(junk);
  holder.join();
}
