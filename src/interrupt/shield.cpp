// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/shield.hpp>

#include "interrupt/listed_shields.hpp"
#include "interrupt/shield_end.hpp"
#include "interrupt/signal_core.hpp"

#include <atomic>
#include <new>

namespace lastcall {

// Counted first, listed second: in between it holds back as a plain one.
shield::shield(const shield_options& options) noexcept : shield{} {
  listed_ = ::new (static_cast<void*>(&entry_)) detail::listed_shield{.options = options};
  detail::put_up(entry_);
}

namespace detail {

namespace {

// Release and acquire: who sees the action sees what it works on.
constinit std::atomic<shield_end_action> the_action{nullptr};

} // namespace

void set_shield_end_action(shield_end_action action) noexcept {
  the_action.store(action, std::memory_order_release); // pairs with the acquire in shield_ended
}

bool put_off_to_shield_end() noexcept {
  thread_word& me = here();
  if (!me.shielded()) return false;
  // Relaxed: only this thread reads it. An exchange of bits, for a handler may interrupt this one.
  me.at_end.fetch_or(action_put_off, std::memory_order_relaxed);
  return true;
}

void put_up(listed_shield& what) noexcept {
  thread_word& me = here();
  if (signal_core* core = core_here())
    core->put_up(what);
  else
    link(me, what);
}

void take_down(listed_shield& what) noexcept {
  thread_word& me = here();
  if (signal_core* core = core_here())
    core->take_down(what);
  else
    unlink(me, what);
  leave_child_stretch(what);
}

void shield_ended() noexcept {
  thread_word& me = here();
  if (me.shielded()) return; // an inner one
  if (const std::uint32_t up = me.shields.load(std::memory_order_relaxed);
      me.run_out.load(std::memory_order_relaxed) > up)
    me.run_out.store(up, std::memory_order_relaxed); // one of the parent's has ended: see reset_shields
  if (me.run_out.load(std::memory_order_relaxed) == 0)
    me.at_end.fetch_and(~std::uint32_t{of_parent}, std::memory_order_relaxed);
  // The bit goes before the work: what a handler puts off while the action is at work, because the action has
  // put up a shield itself, comes here again at the end of that one.
  if ((me.at_end.fetch_and(~std::uint32_t{action_put_off}, std::memory_order_relaxed) & action_put_off) == 0)
    return;
  if (const auto action = the_action.load(std::memory_order_acquire)) action();
}

} // namespace detail

} // namespace lastcall
