// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The pool's thread: looks at deadlines, sleeps in poll, takes what has come.
#include "process/pool_core.hpp"
#include "runtime/duration_text.hpp"
#include "sys/channel.hpp"
#include "sys/event_descriptor.hpp"

#include <algorithm>
#include <csignal>
#include <exception>

namespace lastcall::detail {

namespace {

constexpr stop_plan at_once{stop_step::kill(std::chrono::seconds{1})};

} // namespace

void* workers_core::run(void* self) noexcept {
  static_cast<workers_core*>(self)->serve();
  return nullptr;
}

void workers_core::serve() noexcept {
  held lock{lock_};
  for (;;) {
    const auto phase = static_cast<pool_phase>(phase_.load(std::memory_order_relaxed));
    if (phase == pool_phase::stopping && !std::exchange(began_stop_, true)) begin_stop();
    const deadline first = look_at_deadlines();
    if (began_stop_ && all_over()) break;
    const std::size_t count = watch();
    std::swap(waking_, to_wake_);
    lock.unlock();
    wake_callers();
    const auto left = first.is_never() ? -1 : std::max<std::int64_t>(first.remaining().count(), 0);
    sys::poll_many({watched_.data(), count}, left);
    lock.lock();
    if (watched_[0].found != 0) sys::lower_event(wake_fd_);
    take(count);
    tell(lock);
  }
  tell(lock);
  std::swap(waking_, to_wake_);
  wake_callers();
  change(pool_phase::over);
}

void workers_core::wake_callers() noexcept {
  for (const auto& each : waking_) each->wake();
  waking_.clear();
}

// Descriptors in the order of the slots, three for each: calls, lifeline, process.
//
// A worker is not listened to before it is known who it is. That comes on another channel, and may come
// later, where its zygote is not let at the processor.
std::size_t workers_core::watch() noexcept {
  watched_.clear();
  watched_.push_back({wake_fd_, sys::readable, 0});
  for (const auto& slot : slots_) {
    const short wanted = static_cast<short>(sys::readable | (slot->sending ? sys::writable : 0));
    const bool there = slot->process != nullptr;
    const bool known = there && slot->process->pid() != 0;
    watched_.push_back({known && slot->work.is_open() ? slot->work.number() : -1, wanted, 0});
    watched_.push_back({known && slot->life.is_open() ? slot->life.number() : -1, sys::readable, 0});
    watched_.push_back({there ? slot->process->watched() : -1, sys::readable, 0});
  }
  return watched_.size();
}

void workers_core::take(std::size_t count) noexcept {
  for (std::size_t i = 1; i + 2 < count; i += 3) {
    worker_slot& slot = *slots_[(i - 1) / 3];
    const auto came = [&](std::size_t at, int fd) {
      return watched_[i + at].found != 0 && watched_[i + at].fd == fd;
    };
    if (slot.process == nullptr) continue;
    if (came(2, slot.process->watched())) {
      slot.process->look();
      if (slot.process->end()) {
        on_end(slot);
        continue;
      }
    }
    if (came(0, slot.work.number())) {
      if ((watched_[i].found & sys::writable) != 0 && slot.sending) send_some(slot);
      receive_some(slot);
    }
    if (slot.life.is_open() && came(1, slot.life.number())) on_life(slot);
  }
}

deadline workers_core::look_at_deadlines() noexcept {
  deadline first = deadline::never();
  for (auto& slot : slots_) look_at_slot(*slot, first);
  if (timed_ > 0) look_at_queue(first);
  return first;
}

void workers_core::look_at_slot(worker_slot& slot, deadline& first) noexcept {
  if (slot.process == nullptr) return;
  if (slot.doomed) {
    if (slot.step_due.expired()) step(slot);
    if (slot.process != nullptr) first = earlier(first, slot.doomed ? slot.step_due : slot.due);
    return;
  }
  if (slot.due.expired()) {
    const bool booting = slot.phase == slot_phase::bootstrapping;
    const auto limit = booting ? options_.bootstrap_within : options_.start_within;
    try {
      slot.trouble = std::string{booting ? "no word from it within " : "its object was not made within "} +
                     std::string{duration_text(limit).view()};
    } catch (...) {
    }
    doom(slot, at_once, deadline::never(), "late");
    first = earlier(first, slot.step_due);
    return;
  }
  first = earlier(first, slot.due);
  if (slot.current == nullptr || slot.dropped) return;
  if (!slot.current->until.expired()) {
    first = earlier(first, slot.current->until);
    return;
  }
  fail_named(*slot.current, pool_errc::deadline, ": the call's deadline passed while it ran");
  slot.dropped = true;
  if (options_.on_late == on_late_call::let_run) return;
  doom(slot, at_once, deadline::never(), "its call was late");
  first = earlier(first, slot.step_due);
}

void workers_core::look_at_queue(deadline& first) noexcept {
  const auto late = std::stable_partition(queue_.begin(), queue_.end(),
                                          [](const auto& each) { return !each->until.expired(); });
  for (auto at = late; at != queue_.end(); ++at) {
    --timed_;
    --calls_in_;
    fail_named(**at, pool_errc::deadline, ": the call's deadline passed in the queue");
  }
  if (late != queue_.end()) room_.fetch_add(1, std::memory_order_release); // pairs with who waits for room
  queue_.erase(late, queue_.end());
  for (const auto& each : queue_) first = earlier(first, each->until);
}

void workers_core::begin_stop() noexcept {
  const auto drop = [&](job& each) {
    fail_named(each, pool_errc::stopped_while_waiting, ": the pool was stopped while the call waited");
    ++report_.calls_dropped;
  };
  for (auto& each : queue_) drop(*each);
  calls_in_ -= queue_.size();
  queue_.clear();
  timed_ = 0;
  for (auto& slot : slots_) {
    for (auto& each : slot->own) drop(*each);
    slot->own.clear();
    slot->due = deadline::never(); // from now on there is the plan
    if (slot->process != nullptr) doom(*slot, stop_plan_, stop_until_, "");
  }
  idle_.clear();
}

bool workers_core::all_over() const noexcept {
  return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->process == nullptr; });
}

void workers_core::tell(held& lock) noexcept {
  if (requests_.empty() && ends_.empty()) return;
  const auto requests = std::exchange(requests_, {});
  const auto ends = std::exchange(ends_, {});
  lock.unlock();
  const auto call = [](const auto& fn, const auto& what) {
    try {
      if (fn) fn(what);
    } catch (...) { // nobody is there to be told
    }
  };
  for (const auto& each : requests) call(options_.on_request, each);
  for (const auto& each : ends) call(options_.on_end, each);
  lock.lock();
}

} // namespace lastcall::detail
