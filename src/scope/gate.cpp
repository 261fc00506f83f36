// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/gate.hpp>

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>
#include <lastcall/wait/futex.hpp>

#include "scope/gate_rows.hpp"
#include "sys/calls.hpp"

#include <memory>

// The essay is in gate_rows.cpp; the numbers below are those of its list.
namespace lastcall {

namespace detail {

namespace {

using wait::asymmetric_barrier;

// Somebody has gone out of a gate that is closed or watched.
void tell_watchers(gate_words& words) noexcept {
  // Acquire and release: pairs with itself and with the acquire in wait_until, which sees a number it has
  // read before its sum only if that sum had not seen this one out.
  words.rung.fetch_add(1, std::memory_order_acq_rel);
  wait::futex_wake_all(words.rung);
}

void count_in(gate_cell& cell, const gate_words& words) noexcept {
  if (&cell == &words.shared)
    cell.entered.fetch_add(1, std::memory_order_seq_cst); // many writers
  else
    cell.entered.store(cell.entered.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  asymmetric_barrier::light(); // pairs with heavy() in close and wait_until
}

void count_out(gate_cell& cell, gate_words& words) noexcept {
  // Release pairs with the acquire in gate_cell::inside.
  if (&cell == &words.shared)
    cell.left.fetch_add(1, std::memory_order_release);
  else
    cell.left.store(cell.left.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  gone_out(words);
}

// Counted in already. Decides whether that stands.
gate_home* look_again(gate_words& words, gate_home& home, gate_cell& cell) noexcept {
  asymmetric_barrier::light(); // as in count_in; the inline one is none where the kernel has none
  const std::uint32_t state = words.state.load(std::memory_order_acquire); // pairs with release in reopen
  if (state < gate_words::watcher && (state & gate_words::closed) == 0) return &home;
  count_out(cell, words);
  if ((state & gate_words::closed) != 0) return nullptr;
  const std::scoped_lock guard{the_rows.lock}; // 4
  if ((words.state.load(std::memory_order_relaxed) & gate_words::closed) != 0) return nullptr;
  count_in(cell, words);
  return &home;
}

} // namespace

gate_home* come_in_anew(gate_words& words) noexcept {
  if (take_row() != nullptr) return come_in(words);
  count_in(words.shared, words);
  return look_again(words, nobodys_row(), words.shared);
}

gate_home* come_in_slow(gate_words& words, gate_row& counted) noexcept {
  if (words.column < gate_row::columns) return look_again(words, counted, counted.cells[words.column]);
  count_in(words.shared, words);
  return look_again(words, nobodys_row(), words.shared);
}

void gone_out(gate_words& words) noexcept {
  asymmetric_barrier::light(); // pairs with heavy() in wait_until: it has seen us out, or we see it wait
  if (words.state.load(std::memory_order_relaxed) >= gate_words::watcher) tell_watchers(words);
}

void leave_elsewhere(gate_words& words, gate_home& home) noexcept {
  gate_row* row = nullptr;
  if (home.what == gate_home::kind::named) {
    const std::unique_ptr<gate_record> record{static_cast<gate_record*>(&home)};
    row = record->row;
    const std::scoped_lock guard{record_lock(*record->row)};
    if (record->next != nullptr) record->next->before = record->before;
    *record->before = record->next;
  } else {
    row = static_cast<gate_row*>(&home);
  }
  if (row == &nobodys_row()) return count_out(words.shared, words);
  gate_cell& cell = row->cells[words.column];
  if (row == this_row) return count_out(cell, words);
  cell.left_elsewhere.fetch_add(1, std::memory_order_release); // pairs with the acquire in gate_cell::inside
  gone_out(words);
}

} // namespace detail

using detail::gate_record;
using detail::gate_words;
using detail::kept_row;
using detail::the_rows;

gate_closed::gate_closed() : std::runtime_error{"the gate is closed: what it guards is being stopped"} {}

gate::gate() : words_{&detail::take_words()} {}

gate::~gate() {
  LASTCALL_ASSERT(detail::inside(*words_) == 0,
                  "a gate is destroyed while somebody is inside: close it and wait_until first, "
                  "or let what it guards outlive its holders");
  detail::give_words_back(*words_);
}

void gate::refuse() { throw gate_closed{}; }

pass gate::enter(std::string_view name) {
  if (auto inside = try_enter(name)) return *std::move(inside);
  refuse();
}

std::optional<pass> gate::try_enter(std::string_view name) {
  if (name.empty()) return try_enter();
  auto record = std::make_unique<gate_record>();
  record->what = detail::gate_home::kind::named;
  record->name = name;
  record->thread = sys::gettid();
  record->since = clock::now();
  record->words = words_;
  detail::gate_home* home = detail::come_in(*words_);
  if (home == nullptr) return std::nullopt;
  kept_row& row = static_cast<kept_row&>(*home);
  record->row = &row;
  const std::scoped_lock guard{detail::record_lock(row)};
  record->next = row.records;
  record->before = &row.records;
  if (row.records != nullptr) row.records->before = &record->next;
  row.records = record.get();
  return pass{*words_, *record.release()};
}

void gate::close() noexcept {
  {
    const std::scoped_lock guard{the_rows.lock}; // so that nobody is between looking and counting: 4
    words_->state.fetch_or(gate_words::closed, std::memory_order_relaxed);
  }
  wait::asymmetric_barrier::heavy(); // pairs with light() of those who count themselves in: 2
}

void gate::reopen() noexcept {
  const std::scoped_lock guard{the_rows.lock};
  // Release pairs with the acquire of who comes in: it sees what was made for this opening.
  words_->state.fetch_and(~std::uint32_t{gate_words::closed}, std::memory_order_release);
}

bool gate::closed() const noexcept {
  return (words_->state.load(std::memory_order_relaxed) & gate_words::closed) != 0;
}

bool gate::wait_until(deadline until) noexcept {
  gate_words& words = *words_;
  words.state.fetch_add(gate_words::watcher, std::memory_order_relaxed);
  wait::asymmetric_barrier::heavy(); // pairs with light() of those who count themselves in or out: 2, 4
  const auto empty = [&] {
    const std::scoped_lock guard{the_rows.lock}; // 4
    return detail::inside(words) == 0;
  };
  bool emptied = false;
  for (bool late = false; !emptied && !late;) {
    // The number is read before the sum, so a way out that the sum has missed changes the number, and the
    // kernel refuses to sleep on the old one. Acquire pairs with the release in tell_watchers.
    const std::uint32_t seen = words.rung.load(std::memory_order_acquire);
    emptied = empty();
    if (!emptied && wait::futex_wait(words.rung, seen, until) == wait::futex_result::timed_out) {
      emptied = empty();
      late = true;
    }
  }
  words.state.fetch_sub(gate_words::watcher, std::memory_order_relaxed); // seen late, it costs a slow path
  return emptied;
}

std::size_t gate::size() const noexcept { return detail::inside(*words_); }

std::vector<gate::holder> gate::holders() const {
  std::vector<holder> who;
  const auto add_those_of = [&](const kept_row& row, const detail::gate_cell& cell, pid_t thread) {
    std::size_t named = 0;
    {
      const std::scoped_lock guard{detail::record_lock(row)};
      for (const gate_record* record = row.records; record != nullptr; record = record->next) {
        if (record->words != words_) continue;
        who.push_back({record->name, record->thread, record->since});
        ++named;
      }
    }
    for (std::size_t all = cell.inside(); all > named; --all) who.push_back({{}, thread, {}});
  };
  add_those_of(detail::nobodys_row(), words_->shared, 0);
  if (words_->column == detail::gate_row::columns) return who;
  for (kept_row* row = the_rows.rows.load(std::memory_order_acquire); row != nullptr; row = row->next)
    if (!row->vanished)
      add_those_of(*row, row->cells[words_->column], row->thread.load(std::memory_order_relaxed));
  return who;
}

} // namespace lastcall
