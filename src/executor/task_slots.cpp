// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Memory for tasks.
///
/// Aim: a task is made on one thread and ends on another, some millions of times a second.
///
/// What does not work: the general allocator. Memory that one thread takes and another gives back is its
/// worst case: every piece goes back to the arena it came from, under that arena's lock, against the thread
/// that is just taking the next.
///
/// Solution: slots of one size. Each thread keeps a handful; what one has too many it hands to a depot in
/// strings of `string_size`, and another takes a whole string from there: one lock for that many tasks.
/// Slots are never given back to the system: a program keeps as many as it had tasks at once.
///
/// A thread's slots go to the depot when its thread_local objects are destroyed. A task that is made or ended
/// even later on that thread uses the depot directly.
#include "executor/task_slots.hpp"

#include <lastcall/executor/task.hpp>
#include <lastcall/runtime/immortal.hpp>

#include "executor/short_lock.hpp"
#include "sys/process_hooks.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace lastcall::detail {

namespace {

constexpr std::size_t string_size = 32;

// Slots one after the other, by `next`.
struct slot_string {
  task* first = nullptr;
  std::size_t count = 0;

  void push(task* slot) noexcept {
    slot->next = std::exchange(first, slot);
    ++count;
  }
  task* pop() noexcept {
    --count;
    task* const slot = std::exchange(first, first->next);
    __builtin_prefetch(first, 1); // the next one to be written
    return slot;
  }
};

// Strings hang on the first slot of each; short ones and single slots are kept loose.
class depot {
public:
  slot_string take() {
    {
      const std::scoped_lock guard{lock_};
      if (!loose_.first && strings_ != nullptr) {
        task* const first = strings_;
        strings_ = in_depot(first);
        return {first, string_size};
      }
      if (loose_.first) return std::exchange(loose_, {});
    }
    return make();
  }
  void give(slot_string full) noexcept {
    const std::scoped_lock guard{lock_};
    if (full.count == string_size) {
      in_depot(full.first) = std::exchange(strings_, full.first);
      return;
    }
    while (full.count != 0) loose_.push(full.pop());
  }
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept { lock_.unlock(); }

private:
  // The next string, in memory that a task would use.
  static task*& in_depot(task* first) noexcept { return *reinterpret_cast<task**>(&first->callable); }

  static slot_string make() {
    slot_string made;
    auto* block = static_cast<std::byte*>(
        ::operator new (sizeof(task) * string_size, std::align_val_t{64})); // kept for good
    for (std::size_t i = 0; i < string_size; ++i) made.push(::new (block + i * sizeof(task)) task);
    return made;
  }

  short_lock lock_;
  task* strings_ = nullptr;
  slot_string loose_;
};

depot& the_depot() noexcept {
  static immortal<depot> it;
  return *it;
}

// The calling thread's. Trivial, so that a look at it is one instruction; `keeper` cares for its end.
struct own_slots {
  slot_string string;
  bool kept = false; ///< a keeper has been made
  bool over = false; ///< … and destroyed
};
thread_local constinit own_slots mine;

struct keeper {
  keeper() noexcept { mine.kept = true; }
  ~keeper() {
    mine.over = true;
    if (mine.string.count != 0) the_depot().give(std::exchange(mine.string, {}));
  }
};

void keep_until_the_end() {
  thread_local keeper here;
  static_cast<void>(here);
}

[[gnu::noinline]] task* take_from_depot() {
  if (!mine.kept) keep_until_the_end();
  slot_string got = the_depot().take();
  task* const slot = got.pop();
  if (!mine.over)
    mine.string = got;
  else if (got.count != 0)
    the_depot().give(got);
  return slot;
}

[[gnu::noinline]] void give_to_depot() noexcept {
  if (mine.over) return the_depot().give(std::exchange(mine.string, {}));
  if (!mine.kept) keep_until_the_end();
  if (mine.string.count < 2 * string_size) return;
  slot_string full;
  while (full.count < string_size) full.push(mine.string.pop());
  the_depot().give(full);
}

} // namespace

static_assert(sizeof(task) == 128);

task* take_slot() {
  if (mine.string.count != 0) [[likely]]
    return mine.string.pop();
  return take_from_depot();
}

void give_slot(task* slot) noexcept {
  mine.string.push(slot);
  if (mine.string.count >= 2 * string_size || !mine.kept || mine.over) [[unlikely]]
    give_to_depot();
}

int prepare_slots_for_fork() noexcept {
  static constinit std::atomic<bool> done{false};
  static constinit std::mutex once;
  const std::scoped_lock guard{once};
  if (done.load(std::memory_order_relaxed)) return 0;
  the_depot(); // constructed before, not in a child
  const int error =
      sys::at_fork([] { the_depot().lock(); }, [] { the_depot().unlock(); }, [] { the_depot().unlock(); });
  if (error == 0) done.store(true, std::memory_order_relaxed); // under the lock
  return error;
}

} // namespace lastcall::detail
