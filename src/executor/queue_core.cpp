// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/queue_core.hpp>

#include <lastcall/executor/errors.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include <stdexcept>

namespace lastcall::detail {

queue_core::queue_core(std::size_t capacity) : capacity_{capacity} {
  if (capacity == 0)
    throw std::invalid_argument{"a queue cannot have a capacity of 0: nothing could be put in"};
}

std::size_t queue_core::size() const noexcept {
  const std::scoped_lock guard{lock_};
  return size_;
}

bool queue_core::closed() const noexcept {
  const std::scoped_lock guard{lock_};
  return closed_;
}

void queue_core::begin(wait_style how) noexcept {
  if (how.error != nullptr) how.error->clear();
}

queue_core::woken queue_core::sleep(waiting_line& in, std::uint32_t seen, deadline& until, wait_style how) {
  if (until.expired()) return woken::timed_out; // before a checkpoint: who does not wait is not interrupted
  wait::futex_result result{};
  if (how.stop != nullptr) {
    const auto slept = io::futex_wait(in.word, seen, until, *how.stop);
    if (!slept) return woken::cut;
    result = *slept;
  } else if (how.error != nullptr) {
    result = io::futex_wait(in.word, seen, until, *how.error);
    if (*how.error) return woken::cut;
  } else {
    result = io::futex_wait(in.word, seen, until);
  }
  return result == wait::futex_result::timed_out ? woken::timed_out : woken::look_again;
}

void queue_core::refuse(wait_style how) {
  if (how.error == nullptr) throw std::system_error{executor_errc::shut_down};
  *how.error = executor_errc::shut_down;
}

bool queue_core::call_one(waiting_line& in) noexcept {
  if (in.waiters == 0) return false;
  in.word.fetch_add(1, std::memory_order_relaxed); // what it is about is under the lock
  return true;
}

void queue_core::ring_one(waiting_line& in) noexcept { wait::futex_wake_one(in.word); }

void queue_core::leave(waiting_line& line, bool looks_again) noexcept {
  bool pass_on = false;
  {
    const std::scoped_lock guard{lock_};
    --line.waiters;
    if (looks_again) return;
    const bool there = &line == &items_ ? size_ != 0 : &line == &room_ && size_ < capacity_;
    pass_on = there && call_one(line);
  }
  if (pass_on) ring_one(line);
}

void queue_core::done(std::size_t many) noexcept {
  {
    const std::scoped_lock guard{lock_};
    LASTCALL_ASSERT(unfinished_ >= many,
                    "queue::done called more often than something was got: once for each, by whoever got it");
    unfinished_ -= many;
    if (unfinished_ != 0 || all_done_.waiters == 0) return;
    all_done_.word.fetch_add(1, std::memory_order_relaxed); // as in call_one
  }
  wait::futex_wake_all(all_done_.word);
}

bool queue_core::join(deadline until, wait_style how) {
  begin(how);
  for (bool last = false;;) {
    std::uint32_t seen = 0;
    {
      const std::scoped_lock guard{lock_};
      if (unfinished_ == 0 || last) return unfinished_ == 0;
      seen = all_done_.word.load(std::memory_order_relaxed);
      ++all_done_.waiters;
    }
    const waiter me{*this, all_done_, true}; // all of them are woken, so there is nothing to pass on
    const woken why = sleep(all_done_, seen, until, how);
    if (why == woken::cut) return false;
    last = why == woken::timed_out;
  }
}

void queue_core::ring_all() noexcept {
  for (waiting_line* line : {&items_, &room_}) {
    {
      const std::scoped_lock guard{lock_};
      if (line->waiters == 0) continue;
      line->word.fetch_add(1, std::memory_order_relaxed); // as in call_one
    }
    wait::futex_wake_all(line->word);
  }
}

} // namespace lastcall::detail
