// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Counting without contention.
//
// Aim. Entering and leaving a gate cost less than one locked instruction and do not slow each other, and
// still, once a gate is closed, whoever waits knows for certain when nobody is inside.
//
// Obstacle. One count for all threads is a cache line that travels at every step. A count for each thread is
// free, but then the sum is read piece by piece while the pieces change; and "count, then look whether it is
// closed" against "close, then look at the counts" needs a full barrier on both sides.
//
// How.
//   1. Each thread has a row of cells, each gate a column: a cell has one writer. It counts ways in and ways
//      out; a pass given back on another thread is counted out in the same cell by a locked instruction.
//   2. The barrier is the asymmetric one: closing pays for it. After `closed` is set and heavy() has run,
//      each one who entered has either seen `closed`, and takes its count back, or is in a cell for whoever
//      closed to see.
//   3. From then on counts only go down, but for those who count themselves in, see `closed` and go out
//      again. So a sum that is read piece by piece may be too large for a moment, and never too small: if
//      it is 0, all are out. Too large does no harm, because everybody who goes out of a closed gate, the
//      refused included, wakes who waits.
//   4. Waiting for an open gate is different: somebody may enter behind the reader's back. While anybody
//      waits (`watcher`), who enters takes its count back and does it again with the lock held; the sum is
//      read with the lock held. After heavy() nobody does otherwise, and 3 is true again.
//   5. A pass that is counted out may be the last, and the gate gone the next moment. So it touches no gate
//      afterwards, only `gate_words`, which are never freed. Words of a gate that is gone may serve
//      another by then: it is woken for nothing and looks again.
//
// Threads' ends. A row goes back when its thread ends: by a pthread key, whose destructor runs after those of
// thread_local objects, so that these may still leave gates. Destructors of other keys may run later; a
// thread that enters a gate in one of them takes a row again, and is called back again. A row with
// passes inside keeps the thread's id, for holders(), and is not used again before it is empty.
//
// Fork. In the child all rows but the forking thread's have vanished: not summed, not used again. What is
// counted in them belongs to threads that do not exist; a pass of theirs that the child comes upon and
// gives back is counted there and concerns nobody. All locks are held during the fork, so that
// none is held by a thread that vanishes.
//
// What can fail: memory for a row, the key, the registration for fork. Such a thread counts on a word that
// all of them share, with locked instructions; that is slower and just as right.
#include "scope/gate_rows.hpp"

#include <lastcall/wait/asymmetric_barrier.hpp>

#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace lastcall::detail {

thread_local constinit gate_row* this_row = nullptr;
constinit gate_rows the_rows{};

namespace {

constinit std::array<std::mutex, 16> record_locks{};
constinit kept_row nobodys{};

std::size_t offset_of(std::uint32_t column) noexcept {
  return static_cast<std::size_t>(reinterpret_cast<std::byte*>(&nobodys.cells[column]) -
                                  reinterpret_cast<std::byte*>(static_cast<gate_row*>(&nobodys)));
}

bool empty(const kept_row& row) noexcept {
  return row.records == nullptr && std::all_of(std::begin(row.cells), std::end(row.cells) - 1,
                                               [](const gate_cell& cell) { return cell.inside() == 0; });
}

// --- threads' ends ---

void thread_ended(void* row) noexcept {
  auto& mine = *static_cast<kept_row*>(row);
  this_row = nullptr;
  const std::scoped_lock guard{the_rows.lock};
  mine.now = kept_row::use::left; // until somebody finds it empty
}

// --- fork ---

void before_fork() noexcept {
  the_rows.lock.lock();
  for (std::mutex& lock : record_locks) lock.lock();
}

void after_fork() noexcept {
  for (std::mutex& lock : record_locks) lock.unlock();
  the_rows.lock.unlock();
}

void in_child() noexcept {
  for (kept_row* row = the_rows.rows.load(std::memory_order_relaxed); row != nullptr; row = row->next) {
    if (row == this_row)
      row->thread.store(sys::gettid(), std::memory_order_relaxed);
    else if (empty(*row))
      row->now = kept_row::use::idle;
    else
      row->vanished = true;
  }
  // Those who waited have vanished as well.
  constexpr std::uint32_t no_watchers = gate_words::watcher - 1;
  for (gate_words* words = the_rows.words; words != nullptr; words = words->next)
    words->state.fetch_and(no_watchers, std::memory_order_relaxed);
  after_fork();
}

// --- rows ---

// The registrations, made once by the first gate. Not with the lock held: a fork that had begun before would
// leave it locked in the child.
struct hooks {
  hooks() noexcept
      : made{sys::at_fork(before_fork, after_fork, in_child) == 0 &&
             sys::make_thread_end_key(key, thread_ended) == 0} {}
  pthread_key_t key{};
  bool made;
};
const hooks& the_hooks() noexcept {
  static const hooks once;
  return once;
}

kept_row* new_row() noexcept {
  auto* row = new (std::nothrow) kept_row;
  if (row == nullptr) return nullptr;
  row->next = the_rows.rows.load(std::memory_order_relaxed);
  the_rows.rows.store(row, std::memory_order_release); // pairs with the acquire of who goes through them
  return row;
}

// An idle row, or one of a thread that has ended and that has emptied since. With the lock held.
kept_row* used_row() noexcept {
  for (kept_row* row = the_rows.rows.load(std::memory_order_relaxed); row != nullptr; row = row->next) {
    if (row->vanished) continue;
    if (row->now == kept_row::use::idle) return row;
    if (row->now == kept_row::use::taken) continue;
    const std::scoped_lock records{record_lock(*row)};
    if (empty(*row)) return row;
  }
  return nullptr;
}

} // namespace

std::mutex& record_lock(const kept_row& row) noexcept {
  return record_locks[reinterpret_cast<std::uintptr_t>(&row) / sizeof(kept_row) % record_locks.size()];
}

kept_row& nobodys_row() noexcept { return nobodys; }

gate_row* take_row() noexcept {
  if (this_row != nullptr) return this_row;
  if (!the_hooks().made) return nullptr;
  const std::scoped_lock guard{the_rows.lock};
  kept_row* row = used_row();
  if (row == nullptr) row = new_row();
  if (row == nullptr) return nullptr;
  if (sys::set_at_thread_end(the_hooks().key, row) < 0) {
    row->now = kept_row::use::idle;
    return nullptr;
  }
  row->now = kept_row::use::taken;
  row->thread.store(sys::gettid(), std::memory_order_relaxed);
  return this_row = row;
}

gate_words& take_words() {
  // Outside the lock, both; deciding may take a system call of some milliseconds.
  the_hooks();
  std::uint32_t state = wait::asymmetric_barrier::light_is_free() ? 0U : gate_words::fenced;
  const std::scoped_lock guard{the_rows.lock};
  gate_words*& free = the_rows.free_columned != nullptr || the_rows.columns_given < gate_row::columns
                          ? the_rows.free_columned
                          : the_rows.free_apart;
  gate_words* words = free;
  if (words != nullptr) {
    free = words->next_free;
  } else {
    words = new gate_words;
    words->column = std::min(the_rows.columns_given, gate_row::columns);
    if (words->column < gate_row::columns) ++the_rows.columns_given;
    words->offset = offset_of(words->column);
    words->next = the_rows.words;
    the_rows.words = words;
  }
  if (words->column == gate_row::columns) state |= gate_words::apart;
  words->state.store(state, std::memory_order_relaxed); // the gate is published by its user
  return *words;
}

void give_words_back(gate_words& words) noexcept {
  const std::scoped_lock guard{the_rows.lock};
  gate_words*& free = words.column < gate_row::columns ? the_rows.free_columned : the_rows.free_apart;
  words.next_free = free;
  free = &words;
}

std::uint32_t inside(const gate_words& words) noexcept {
  std::uint32_t sum = words.shared.inside();
  if (words.column == gate_row::columns) return sum;
  for (kept_row* row = the_rows.rows.load(std::memory_order_acquire); row != nullptr; row = row->next)
    if (!row->vanished) sum += row->cells[words.column].inside();
  return sum;
}

} // namespace lastcall::detail
