// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/stream_lock.hpp"

#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/wait/futex.hpp>

#include <cstddef>

namespace lastcall::detail {

namespace {

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

// What a futex wait that somebody left without having been woken may have cost the others.
class pass_wake_on {
public:
  explicit pass_wake_on(const std::atomic<std::uint32_t>& word) noexcept : word_{&word} {}
  ~pass_wake_on() {
    if (word_ != nullptr) wait::futex_wake_one(*word_);
  }
  pass_wake_on(const pass_wake_on&) = delete;
  pass_wake_on& operator=(const pass_wake_on&) = delete;
  void no_need() noexcept { word_ = nullptr; }

private:
  const std::atomic<std::uint32_t>* word_;
};

} // namespace

// A record takes some ten nanoseconds: the lock is often free before a sleep has begun. The pauses grow, so
// that the holder keeps the line of memory for a few records instead of one.
bool stream_lock::spin(std::uint32_t me) noexcept {
  constexpr unsigned rounds = 5;
  for (unsigned round = 0; round < rounds; ++round) {
    if (holder_.load(std::memory_order_relaxed) == 0 && try_lock(me)) return true;
    for (unsigned i = 0; i < (48U << round); ++i) pause();
  }
  return false;
}

template <class Sleep>
lock_result stream_lock::wait(std::uint32_t me, bool urgent, Sleep sleep) {
  if (holder() == me) return lock_result::reentered;
  // Relaxed: who does not see it yet is one more to compete with.
  const auto may_try = [&] { return urgent || urgent_.load(std::memory_order_relaxed) == 0; };
  if (may_try() && (try_lock(me) || spin(me))) return lock_result::held;
  pass_wake_on others{asleep_};
  for (;;) {
    asleep_.store(1, std::memory_order_relaxed);
    wait::asymmetric_barrier::heavy(); // pairs with the light in unlock
    const std::uint32_t seen = holder_.load(std::memory_order_relaxed);
    if ((seen & stuck) != 0) return lock_result::turned_away;
    if (seen == 0 && may_try()) {
      if (!try_lock(me)) continue;
      // `asleep_` stays set: there may be others, and this thread's unlock wakes the next.
      others.no_need();
      return lock_result::held;
    }
    if (const lock_result over = sleep(); over != lock_result::held) return over;
    if (urgent && spin(me)) {
      others.no_need();
      asleep_.store(1, std::memory_order_relaxed);
      return lock_result::held;
    }
  }
}

lock_result stream_lock::lock(std::uint32_t me, std::error_code* error) {
  return wait(me, false, [&] {
    if (error == nullptr) {
      io::futex_wait(asleep_, 1, deadline::never());
      return lock_result::held;
    }
    io::futex_wait(asleep_, 1, deadline::never(), *error);
    return *error ? lock_result::cut : lock_result::held;
  });
}

lock_result stream_lock::lock_until(std::uint32_t me, hurried_deadline until) noexcept {
  urgent_.fetch_add(1, std::memory_order_relaxed);
  const lock_result how = wait(me, true, [&]() noexcept {
    auto look = until.next_look();
    const bool late = wait::futex_wait(asleep_, 1, look) == wait::futex_result::timed_out &&
                      until.expired() && !until.grant_slice();
    return late ? lock_result::late : lock_result::held;
  });
  // Those who stood back: woken by the unlock, or, where there is none, now; or they see the count.
  if (urgent_.fetch_sub(1, std::memory_order_relaxed) == 1 && how != lock_result::held) wake_all();
  return how;
}

void stream_lock::wake_one() noexcept {
  asleep_.store(0, std::memory_order_relaxed);
  // The one who is served first may not be the one who was first: those who stand back go to sleep again.
  if (urgent_.load(std::memory_order_relaxed) != 0)
    wait::futex_wake_all(asleep_);
  else
    wait::futex_wake_one(asleep_);
}

void stream_lock::wake_all() noexcept {
  wait::asymmetric_barrier::heavy(); // pairs with the one in wait: it has seen what changed, or finds 0 below
  asleep_.store(0, std::memory_order_relaxed);
  wait::futex_wake_all(asleep_);
}

void stream_lock::turn_away() noexcept {
  std::uint32_t seen = holder_.load(std::memory_order_relaxed);
  while (seen != 0 && (seen & stuck) == 0 &&
         !holder_.compare_exchange_weak(seen, seen | stuck, std::memory_order_relaxed)) {
  }
  wake_all();
}

void stream_lock::begin_in_child(std::uint32_t then, std::uint32_t me) noexcept {
  holder_.store(holder() == then ? me : 0, std::memory_order_relaxed);
  asleep_.store(0, std::memory_order_relaxed);
  urgent_.store(0, std::memory_order_relaxed);
}

} // namespace lastcall::detail
