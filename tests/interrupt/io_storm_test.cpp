// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Bytes through a pipe, both ends of which are interrupted all the time: each arrives once and in its place,
/// whatever was ended before it began, in the middle, or as it had its result.

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/child.hpp"
#include "interrupt/random_moments.hpp"

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace lastcall;

namespace {

const auto total = static_cast<std::size_t>(random_moments::rounds(4 * 1024 * 1024));
constexpr std::size_t longest = 160'000; // more than fits into a pipe: such a write waits in its middle
constexpr int enough = 3;

// By its place in the stream: one lost or doubled shows in all that follow.
char byte_at(std::size_t place) {
  return static_cast<char>((std::uint64_t{place} * 0x9E3779B97F4A7C15U) >> 56U);
}

// Asks for something again and again until it goes away.
template <class Again>
class storm {
public:
  explicit storm(Again again)
      : thread_{[this, again] {
          std::minstd_rand random{1};
          while (!over_.load(std::memory_order_relaxed)) {
            again(random() % 2 == 0);
            for (auto spins = random() % 5'000; spins > 0; --spins) asm volatile("");
            std::this_thread::yield(); // on one processor, those who are to be interrupted need it
          }
        }} {}
  ~storm() {
    over_.store(true, std::memory_order_relaxed);
    thread_.join();
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;

private:
  std::atomic<bool> over_{false};
  std::thread thread_; // last: it uses the other
};

// SIGINT for the calling thread, half of them on another one.
auto signals_for_this_thread() {
  return storm{[owner = ::pthread_self()](bool here) {
    if (here)
      ::raise(SIGINT);
    else
      ::pthread_kill(owner, SIGINT);
  }};
}

// A call as the owner; nothing when a request ended it.
auto as_owner(signal_scope& scope) {
  return [&scope](auto&& call) -> std::optional<std::size_t> {
    try {
      return call();
    } catch (const interrupted&) {
      scope.acknowledge();
      return std::nullopt;
    }
  };
}

// A call with a token of its own, all of which fire sooner or later.
class with_tokens {
public:
  template <class Call>
  std::optional<std::size_t> operator()(Call&& call) {
    const std::stop_token stop = next();
    return call(stop);
  }

private:
  std::stop_token next() {
    const std::lock_guard hold{lock_};
    current_ = {};
    return current_.get_token();
  }
  std::stop_source current() {
    const std::lock_guard hold{lock_};
    return current_;
  }

  std::mutex lock_;
  std::stop_source current_;
  std::function<void(bool)> fire_ = [this](bool) { current().request_stop(); };
  storm<std::function<void(bool)>> storm_{fire_}; // last: it uses the others
};

// What both ends know, in whichever process they are.
struct account {
  std::size_t sent = 0;
  std::size_t received = 0, wrong = 0;
  std::atomic<int> reads_ended{0}; ///< by a request
};

class shared_account {
public:
  shared_account()
      : memory_{::mmap(nullptr, sizeof(account), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)} {
    if (memory_ == MAP_FAILED) throw std::bad_alloc{};
    new (memory_) account;
  }
  ~shared_account() { ::munmap(memory_, sizeof(account)); }
  shared_account(const shared_account&) = delete;
  shared_account& operator=(const shared_account&) = delete;
  account& operator*() const noexcept { return *static_cast<account*>(memory_); }
  account* operator->() const noexcept { return &**this; }

private:
  void* memory_;
};

// Until all was sent, and all that can happen to a call has happened often enough.
template <class Attempt>
void send_all(int fd, account& count, Attempt&& attempt) {
  std::minstd_rand random{2};
  std::vector<char> piece;
  int writes_ended = 0, parts = 0;
  while (count.sent < total || writes_ended < enough || parts < enough || count.reads_ended < enough) {
    piece.resize(1 + random() % longest);
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(count.sent + i);
    const std::optional<std::size_t> taken =
        attempt([&](const auto&... stop) { return io::write(fd, piece.data(), piece.size(), stop...); });
    count.sent += taken.value_or(0);
    if (!taken) ++writes_ended;
    if (taken && *taken < piece.size()) ++parts;
  }
}

// Until the other end is closed.
template <class Attempt>
void receive_all(int fd, account& count, Attempt&& attempt) {
  std::vector<char> piece(longest);
  for (;;) {
    const std::optional<std::size_t> got =
        attempt([&](const auto&... stop) { return io::read(fd, piece.data(), piece.size(), stop...); });
    if (got && *got == 0) return;
    if (!got) ++count.reads_ended;
    for (std::size_t i = 0; i < got.value_or(0); ++i)
      if (piece[i] != byte_at(count.received++)) ++count.wrong;
  }
}

void send_all_as_owner(int fd, account& count) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  const auto storm = signals_for_this_thread();
  send_all(fd, count, as_owner(scope));
}

void receive_all_as_owner(int fd, account& count) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  const auto storm = signals_for_this_thread();
  receive_all(fd, count, as_owner(scope));
}

} // namespace

TEST(IoStorm, EachByteArrivesOnceBetweenOwnersThatAreInterruptedAllTheTime) {
  a_pipe data;
  const shared_account count;
  const pid_t sender = ::fork();
  if (sender == 0) {
    ::alarm(50);
    send_all_as_owner(data.in(), *count);
    ::_exit(0);
  }
  data.close_in();
  receive_all_as_owner(data.out(), *count);
  int status = -1;
  ::waitpid(sender, &status, 0);
  ASSERT_TRUE(testing_child::exited_with(status, 0)) << status;
  EXPECT_EQ(count->received, count->sent);
  EXPECT_EQ(count->wrong, 0U);
}

TEST(IoStorm, EachByteArrivesOnceBetweenThreadsWhoseTokensFireAllTheTime) {
  a_pipe data;
  account count;
  std::thread sender{[&] {
    with_tokens attempt;
    send_all(data.in(), count, attempt);
    data.close_in();
  }};
  with_tokens attempt;
  receive_all(data.out(), count, attempt);
  sender.join();
  EXPECT_EQ(count.received, count.sent);
  EXPECT_EQ(count.wrong, 0U);
}
