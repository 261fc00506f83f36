// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Again and again: a runtime, daemons that fight for the big lock and print, a finalization. CPython's
// bpo-9901 was found by such a loop: the lock was destroyed at the end of a round, under a daemon that waited
// for it.
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include "interrupt/random_moments.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::the_big_lock;
using runtime_test::quiet;

constexpr int daemons = 8;

// LASTCALL_ROUNDS=10000 has been run, too.
int rounds_asked_for(int usual) {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  return asked != nullptr ? std::atoi(asked) : std::max(random_moments::rounds(usual), 10);
}

/// What the daemons of a round have done.
struct tally {
  std::array<std::atomic<std::uint32_t>, daemons> accepted{};
};

std::string record(int daemon, std::uint32_t number) {
  return "SPAM " + std::to_string(daemon) + ' ' + std::to_string(number) + " SPAM\n";
}

/// The file holds all accepted records of each daemon, in order, whole and once; after them at most the one
/// whose write did not come back.
void expect_all(int file, const tally& done) {
  std::string all(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  ASSERT_EQ(::pread(file, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  std::array<std::uint32_t, daemons> next{};
  for (std::string_view left = all; !left.empty();) {
    const auto line = left.substr(0, left.find('\n') + 1);
    ASSERT_GT(line.size(), 7U) << "a torn record";
    const int who = line[5] - '0';
    ASSERT_TRUE(who >= 0 && who < daemons) << line;
    ASSERT_EQ(line, record(who, next[static_cast<std::size_t>(who)]++));
    left.remove_prefix(line.size());
  }
  for (std::size_t who = 0; who < daemons; ++who) {
    EXPECT_GE(next[who], done.accepted[who]) << "lost";
    EXPECT_LE(next[who], done.accepted[who] + 1);
  }
}

void spam(int who, lastcall::buffered_writer& out, tally& done) {
  auto& mine = done.accepted[static_cast<std::size_t>(who)];
  for (std::uint32_t number = 0;; ++number) {
    const std::scoped_lock turn{the_big_lock()};
    out.write(record(who, number));
    mine = number + 1;
  }
}

TEST(Rounds, AllDaemonsHaveEndedBeforeTheNextAndNothingAcceptedIsLost) {
  std::minstd_rand random{7};
  const int rounds = rounds_asked_for(1000);
  for (int round = 0; round < rounds; ++round) {
    const int file = ::memfd_create("spam", MFD_CLOEXEC);
    ASSERT_GE(file, 0);
    tally done;
    {
      lastcall::runtime it{quiet()};
      lastcall::buffered_writer out{lastcall::raw_fd::borrow(file), {.name = "spam", .buffer = 512}};
      std::vector<lastcall::daemon_thread> all;
      for (int who = 0; who < daemons; ++who)
        all.emplace_back("spammer", "prints for ever", [who, &out, &done] { spam(who, out, done); });
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 1000}); // a moment, any
      const auto report = it.finalize(deadline::after(60s));
      ASSERT_TRUE(report.clean()) << describe(report) << "round " << round;
      for (auto& one : all) ASSERT_TRUE(one.join(deadline::after(60s))) << "round " << round;
    }
    expect_all(file, done);
    ::close(file);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

// They are never seen again, and hold nothing that anybody needs.
TEST(Rounds, WithThreadsOfOthersThatAreParked) {
  const int rounds = rounds_asked_for(50);
  static std::atomic<std::uint32_t> turns{0};
  for (int round = 0; round < rounds; ++round) {
    lastcall::runtime it{quiet()};
    std::vector<lastcall::daemon_thread> all;
    for (int who = 0; who < 4; ++who)
      all.emplace_back("ours", "takes turns", [] {
        for (;;) {
          const std::scoped_lock turn{the_big_lock()};
          ++turns;
        }
      });
    std::atomic<int> there{0};
    for (int who = 0; who < 2; ++who)
      std::thread{[&there]() noexcept {
        ++there;
        for (;;) {
          the_big_lock().lock();
          ++turns;
          the_big_lock().unlock();
        }
      }}.detach();
    while (there != 2) std::this_thread::yield();
    const auto report = it.finalize(deadline::after(60s));
    ASSERT_TRUE(report.clean()) << describe(report) << "round " << round;
    for (auto& one : all) ASSERT_TRUE(one.join(deadline::after(60s)));
  }
}

} // namespace
