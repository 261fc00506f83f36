// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/activity.hpp>

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/sys/config.hpp>

#include "task/loop_core.hpp"

namespace lastcall::detail {

namespace {
thread_local constinit activity* running = nullptr;
}

activity::activity(loop_core& loop, scope_node& in) noexcept : member{false}, loop_{loop}, scope_{&in} {
  in.add(*this);
  loop_.begun();
}

activity* activity::current() noexcept { return running; }

activity& activity::must_be_in_one() noexcept {
  LASTCALL_ASSERT(
      running != nullptr,
      "this belongs into a coroutine of a loop: is a task awaited outside, or from another thread?");
  return *running;
}

void activity::wake() noexcept {
  if (ready_) return;
  ready_ = true;
  at_ = nullptr;
  loop_.ready(*this);
}

void activity::deliver() noexcept {
  if (at_ == nullptr || aborted_) return;
  aborted_ = true;
  at_->abort();
}

void activity::run() noexcept {
  const auto shields = here().shields.load(std::memory_order_relaxed); // this thread's own
  activity* const outer = std::exchange(running, this);
  ready_ = false;
  next_ = std::exchange(leaf_, {});
  while (next_) {
    std::exchange(next_, {}).resume();
    LASTCALL_ASSERT(
        here().shields.load(std::memory_order_relaxed) == shields,
        "a thread's shield spans a co_await: other coroutines run under it. Use shielded(bound, body)");
  }
  running = outer;
  if (over_) {
    scope_->remove(*this);
    loop_.ended();
    finished();
  }
}

} // namespace lastcall::detail
