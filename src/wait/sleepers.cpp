// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/sleepers.hpp"

#include "sys/calls.hpp"

#include <algorithm>
#include <climits>
#include <mutex>

namespace lastcall::wait {

namespace {

struct sleeper {
  const std::atomic<std::uint32_t>& word;
  time_point until;
  sleeper* next = nullptr;
};

// Constant-initialized and never destroyed: a thread may sleep to the very end of the process.
constinit std::atomic<bool> by_hand{false};
constinit std::mutex lock{};
constinit sleeper* first = nullptr;              // guarded by the lock
constinit std::atomic<std::uint32_t> changes{0}; // of the list; what those who wait for it sleep on

void changed() noexcept {
  changes.fetch_add(1, std::memory_order_relaxed); // the list is read with the lock
  sys::futex_wake(changes, INT_MAX);
}

class listed {
public:
  listed(const std::atomic<std::uint32_t>& word, time_point until) noexcept : me_{word, until} {
    const std::scoped_lock guard{lock};
    me_.next = first;
    first = &me_;
    changed();
  }
  ~listed() {
    const std::scoped_lock guard{lock};
    sleeper** place = &first;
    while (*place != &me_) place = &(*place)->next;
    *place = me_.next;
    changed();
  }
  listed(const listed&) = delete;
  listed& operator=(const listed&) = delete;

private:
  sleeper me_;
};

} // namespace

// Relaxed, all uses: who sleeps when the time begins to be moved by hand goes on by the kernel's time.
void begin_time_by_hand() noexcept { by_hand.store(true, std::memory_order_relaxed); }

void end_time_by_hand() noexcept {
  by_hand.store(false, std::memory_order_relaxed);
  wake_those_due(time_point::max());
}

std::optional<futex_result> wait_by_hand(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                         deadline& until) noexcept {
  if (until.is_never() || !by_hand.load(std::memory_order_relaxed)) return std::nullopt;
  const listed here{word, until.when()};
  // Looked at once more: time that was moved before the listing wakes nobody here. Who is overtaken by it on
  // the way to sleep has overslept as well.
  if (!until.expired()) sys::futex_wait(word, expected, -1);
  if (!until.expired() || until.grant_slice()) return futex_result::woken;
  return futex_result::timed_out;
}

std::size_t sleepers() noexcept {
  const std::scoped_lock guard{lock};
  std::size_t count = 0;
  for (const sleeper* one = first; one != nullptr; one = one->next) ++count;
  return count;
}

std::optional<time_point> next_awakening() noexcept {
  const std::scoped_lock guard{lock};
  std::optional<time_point> earliest;
  for (const sleeper* one = first; one != nullptr; one = one->next)
    earliest = std::min(earliest.value_or(one->until), one->until);
  return earliest;
}

void wait_for_sleepers(std::size_t count) noexcept {
  for (;;) {
    const std::uint32_t seen = changes.load(std::memory_order_relaxed); // before the look at the list
    if (sleepers() >= count) return;
    sys::futex_wait(changes, seen, -1);
  }
}

void wake_those_due(time_point now) noexcept {
  constexpr std::int64_t before_another_try_ns = 100'000;
  for (;;) {
    const std::uint32_t seen = changes.load(std::memory_order_relaxed); // before the look at the list
    {
      const std::scoped_lock guard{lock};
      bool anybody = false;
      for (const sleeper* one = first; one != nullptr; one = one->next) {
        if (one->until > now) continue;
        anybody = true;
        sys::futex_wake(one->word, INT_MAX); // it is there: its sleeper is listed
      }
      if (!anybody) return;
    }
    sys::futex_wait(changes, seen, before_another_try_ns);
  }
}

} // namespace lastcall::wait
