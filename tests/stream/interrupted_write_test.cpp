// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Requests in the middle of a write: no byte is repeated, none is lost.

#include "stream/a_stream.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include "wait/seat.hpp"

#include <atomic>
#include <csignal>
#include <random>
#include <string>
#include <thread>

using namespace lastcall;
using namespace streams;

namespace {

// Interrupts the main thread once it is inside a call that it waits in.
class interrupter {
public:
  interrupter()
      : thread_{[&mine = wait::seat_here()] {
          while (mine.watched.load() == nullptr) std::this_thread::yield();
          interrupt_main();
        }} {}
  ~interrupter() { thread_.join(); }

private:
  std::thread thread_;
};

} // namespace

TEST(InterruptedWrite, DoesNotAcceptARecordThatHadNoRoomYet) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  signal_scope scope;
  auto out = make_writer(pipe.in(), 16);
  out.write("0123456789");
  {
    const interrupter other;
    EXPECT_THROW(out.write("abcdefghij"), interrupted);
  }
  EXPECT_EQ(out.counts().accepted, 10U);
  EXPECT_THROW(out.write("abcdefghij"), interrupted); // until somebody has acknowledged
  scope.acknowledge();
  pipe.take(junk);
  EXPECT_EQ(out.write("abcdefghij"), 10U);
  out.flush();
  EXPECT_EQ(pipe.drained(), "0123456789abcdefghij");
}

TEST(InterruptedWrite, DeliversNothingWhereThereIsRoom) {
  const two_ends pipe;
  signal_scope scope;
  auto out = make_writer(pipe.in());
  std::raise(SIGINT);
  EXPECT_EQ(out.write("accepted"), 8U);
  std::error_code error;
  out.flush(error);
  EXPECT_EQ(error, stop_errc::interrupted);
  scope.acknowledge();
  out.flush();
  EXPECT_EQ(pipe.drained(), "accepted");
}

TEST(InterruptedWrite, AcceptsALineThatCannotBeFlushedYet) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  signal_scope scope;
  auto out = make_writer(pipe.in(), 64, flush_mode::line);
  {
    const interrupter other;
    EXPECT_EQ(out.write("line\n"), 5U);
  }
  EXPECT_THROW(out.flush(), interrupted);
  scope.acknowledge();
  pipe.take(junk);
  out.flush();
  EXPECT_EQ(pipe.drained(), "line\n");
}

// A record larger than the buffer was written in part when the request comes: the rest has room, so it is
// whole after all; or it has none, and the count says how far it came.
TEST(InterruptedWrite, KeepsTheRestOfALargeRecordOrSaysHowFarItCame) {
  for (const std::size_t buffer : {std::size_t{65536}, std::size_t{16}}) {
    const two_ends pipe;
    const std::size_t junk = pipe.fill();
    signal_scope scope;
    auto out = make_writer(pipe.in(), buffer);
    std::string large(100'000, 'x');
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 26);
    std::string got;
    std::thread reader{[&] {
      pipe.take(junk);
      got = pipe.take(50'000); // the rest of it fits neither into this nor into the pipe
      interrupt_main();
    }};
    std::size_t accepted = 0;
    accepted = out.write(large);
    reader.join();
    EXPECT_EQ(out.counts().accepted, accepted);
    scope.acknowledge();
    std::thread rest{[&] { got += pipe.take(accepted - got.size()); }};
    out.flush();
    rest.join();
    got += pipe.drained();
    EXPECT_EQ(got, large.substr(0, accepted));
    if (buffer > large.size() - 50'000) {
      EXPECT_EQ(accepted, large.size());
    }
  }
}

TEST(InterruptedWrite, OfAThreadThatWaitsForTheLock) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  std::atomic<wait::seat*> seat{nullptr};
  std::thread holder{[&] {
    seat = &wait::seat_here();
    EXPECT_EQ(out.write(std::string(20, 'x')), 20U);
  }};
  while (seat.load() == nullptr || seat.load()->watched.load() == nullptr) std::this_thread::yield();
  signal_scope scope;
  {
    const interrupter other;
    EXPECT_THROW(out.write("waits"), interrupted);
  }
  scope.acknowledge();
  pipe.take(junk);
  holder.join();
  EXPECT_EQ(out.write("waits"), 5U);
  out.flush();
  EXPECT_EQ(pipe.drained(), std::string(20, 'x') + "waits");
}

TEST(InterruptedWrite, HeldBackByAShieldGoesOn) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  signal_scope scope;
  auto out = make_writer(pipe.in(), 16);
  out.write("0123456789");
  std::thread reader;
  {
    const shield whole;
    std::raise(SIGINT);
    reader = std::thread{[&] { pipe.take(junk); }};
    EXPECT_EQ(out.write("abcdefghij"), 10U);
  }
  reader.join();
  EXPECT_THROW(out.flush(), interrupted);
  scope.acknowledge();
}

namespace {

// Between two runtimes: nothing is held back.
struct nothing_held_back {
  nothing_held_back() { detail::set_write_through(true); }
  ~nothing_held_back() { detail::set_write_through(false); }
};

} // namespace

// It waited until the reader came back, whoever asked.
TEST(InterruptedWrite, EndsWhereNothingIsHeldBackAndTheDescriptorTakesNothing) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  const nothing_held_back between;
  signal_scope scope;
  auto out = make_writer(pipe.in());
  {
    const interrupter other;
    EXPECT_THROW(out.write("waits"), interrupted);
  }
  EXPECT_EQ(out.counts().accepted, 0U);
  scope.acknowledge();
  pipe.take(junk);
  EXPECT_EQ(out.write("goes on"), 7U);
  EXPECT_EQ(pipe.drained(), "goes on");
}

TEST(InterruptedWrite, DoesNotKeepALineFromADescriptorThatTakesIt) {
  for (const auto kind : {two_ends::kind::pipe, two_ends::kind::socket}) {
    const two_ends pipe{kind};
    const nothing_held_back between;
    signal_scope scope;
    auto out = make_writer(pipe.in());
    std::raise(SIGINT);
    const std::string line(10'000, 'x');
    EXPECT_EQ(out.write(line), line.size());
    EXPECT_EQ(pipe.drained(), line);
    scope.acknowledge();
  }
}

// Nobody would write what was held back: the call says how far it came.
TEST(InterruptedWrite, CutsARecordWhereNothingIsHeldBackAndHoldsNothingBack) {
  const two_ends pipe;
  const std::size_t junk = pipe.fill();
  const nothing_held_back between;
  signal_scope scope;
  auto out = make_writer(pipe.in(), 32768);
  pipe.take(8192);
  std::raise(SIGINT);
  const std::size_t accepted = out.write(std::string(20'000, 'x'));
  EXPECT_GE(accepted, 4096U);
  EXPECT_LT(accepted, 20'000U);
  EXPECT_EQ(out.counts().buffered, 0U);
  scope.acknowledge();
  pipe.take(junk - 8192);
  EXPECT_EQ(pipe.drained().size(), accepted);
}

// The same at any moment: a reader that takes what comes, requests without end, every one acknowledged.
TEST(InterruptedWrite, AtRandomMomentsRepeatsAndLosesNothing) {
  two_ends pipe;
  std::string got;
  std::thread reader{[&] {
    char some[1000];
    for (ssize_t n = 0; (n = ::read(pipe.out(), some, sizeof some)) > 0;)
      got.append(some, static_cast<std::size_t>(n));
  }};
  signal_scope scope;
  std::atomic<bool> over{false};
  std::atomic<int> delivered{0};
  std::thread requests{[&] {
    std::minstd_rand random{1};
    for (int sent = 0; !over; ++sent) {
      for (auto i = random() % 20; i > 0; --i) std::this_thread::yield();
      interrupt_main();
      while (delivered == sent && !over) std::this_thread::yield(); // never two: the ladder stays at its foot
    }
  }};
  std::string expected;
  {
    auto out = make_writer(pipe.in(), 256);
    for (int i = 0; delivered < 50 && i < 500'000; ++i) {
      const std::string record(static_cast<std::size_t>(i % 97 == 0 ? 700 : i % 60 + 1),
                               static_cast<char>('a' + i % 26));
      for (std::size_t at = 0; at < record.size();) {
        std::error_code error;
        at += out.write(std::string_view{record}.substr(at), error);
        if (!error) continue;
        ASSERT_EQ(error, stop_errc::interrupted);
        ++delivered;
        scope.acknowledge();
      }
      expected += record;
    }
    over = true;
    requests.join();
    scope.acknowledge();
  }
  pipe.close_in();
  reader.join();
  EXPECT_GE(delivered, 1);
  EXPECT_TRUE(got == expected) << got.size() << " bytes instead of " << expected.size();
}
