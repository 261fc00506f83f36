// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/big_lock_gate.hpp"

#include "runtime/exempt.hpp"
#include "runtime/thread_registry.hpp"
#include "sys/thread_files.hpp"
#include "wait/lock_around_waits.hpp"

#include <array>
#include <string>

namespace lastcall::detail {

namespace {

constexpr wait::lock_hooks the_hooks{&give_big_lock_up, &take_big_lock_back, &take_big_lock_back_or_park};

// Runtimes count further than the word of the lock does; neighbours stay different.
lock_generation in_the_word(std::uint64_t generation) noexcept {
  return static_cast<lock_generation>((generation - 1) % lock_queue::last_generation + 1);
}

} // namespace

void open_big_lock(std::uint64_t generation, duration interval) noexcept {
  wait::the_lock_hooks.store(&the_hooks, std::memory_order_release); // pairs with the acquire of waits
  wait::asymmetric_barrier::light_is_free();                         // decided now: it may take a moment
  the_lock_queue().open(take_lock_seat(), in_the_word(generation), interval);
}

inline_text<56> close_big_lock(std::uint64_t, const moving_deadline& until) noexcept {
  if (the_lock_queue().close(take_lock_seat(), until)) return {};
  try {
    return inline_text<56>{name_of_thread(the_lock_queue().holder())};
  } catch (...) {
    return inline_text<56>{"somebody"};
  }
}

void hand_big_lock_over(at_point how) {
  lock_seat& me = take_lock_seat();
  const lock_generation of = me.holds;
  if (my_part.exempt) me.exempt_of = of;
  if (the_lock_queue().hand_over(me) == lock_outcome::taken) return;
  // It cannot be had again: as on the way back from a wait, which ends the same way.
  if (how == at_point::may_throw)
    take_big_lock_back(of);
  else
    take_big_lock_back_or_park(of, false);
}

std::string name_of_thread(pid_t thread) {
  std::string name = the_registry().name_of(thread);
  if (!name.empty()) return name;
  std::array<char, 32> comm{};
  const auto size = sys::read_thread_file(thread, "comm", comm.data(), comm.size());
  if (size > 0) name.assign(comm.data(), static_cast<std::size_t>(size));
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? "thread " + std::to_string(thread) : name;
}

void big_lock_before_fork() noexcept { the_lock_queue().before_fork(); }
void big_lock_in_parent() noexcept { the_lock_queue().in_parent(); }
void big_lock_in_child() noexcept { the_lock_queue().in_child(lock_seat_here()); }

} // namespace lastcall::detail
