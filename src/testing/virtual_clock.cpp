// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/testing/virtual_clock.hpp>

#include <lastcall/sys/config.hpp>

#include "wait/sleepers.hpp"

#include <algorithm>
#include <atomic>

namespace lastcall::testing {

namespace {

constinit std::atomic<bool> in_use{false};
constinit std::atomic<clock::rep> ticks{0};

// Acquire pairs with the release in set: who sees the time sees what was done before it was moved.
time_point standing() noexcept { return time_point{duration{ticks.load(std::memory_order_acquire)}}; }

void set(time_point now) noexcept {
  ticks.store(now.time_since_epoch().count(),
              std::memory_order_release); // pairs with the acquire in standing
}

} // namespace

virtual_clock::virtual_clock() {
  LASTCALL_ASSERT(!in_use.exchange(true), "a second virtual_clock while one lives: a process has one time");
  set(clock::now());
  before_ = clock::exchange_source(&standing);
  wait::begin_time_by_hand();
}

virtual_clock::~virtual_clock() {
  clock::exchange_source(before_);
  wait::end_time_by_hand();
  in_use.store(false);
}

time_point virtual_clock::now() const noexcept { return standing(); }

void virtual_clock::advance(duration span) noexcept {
  const time_point target = standing() + span;
  while (const auto next = wait::next_awakening()) {
    if (*next > target) break;
    set(std::max(standing(), *next));
    wait::wake_those_due(standing());
  }
  set(target);
}

void virtual_clock::jump(duration span) noexcept {
  set(standing() + span);
  wait::wake_those_due(standing());
}

std::size_t virtual_clock::sleepers() const noexcept { return wait::sleepers(); }

void virtual_clock::wait_for_sleepers(std::size_t count) const noexcept { wait::wait_for_sleepers(count); }

} // namespace lastcall::testing
