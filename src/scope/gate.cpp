// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/gate.hpp>

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"

namespace lastcall {

gate_closed::gate_closed() : std::runtime_error{"the gate is closed: what it guards is being stopped"} {}

gate::~gate() {
  const std::scoped_lock looking{lock_};
  LASTCALL_ASSERT(inside_ == 0,
                  "a gate is destroyed while somebody is inside: close it and wait_until first, "
                  "or let what it guards outlive its holders");
}

pass gate::enter(std::string_view name) {
  const auto slot = admit(name);
  if (!slot) throw gate_closed{};
  return {*this, *slot};
}

std::optional<pass> gate::try_enter(std::string_view name) {
  const auto slot = admit(name);
  if (!slot) return std::nullopt;
  return pass{*this, *slot};
}

std::optional<std::size_t> gate::admit(std::string_view name) {
  holder who{std::string{name}, sys::gettid(), clock::now()};
  const std::scoped_lock entering{lock_};
  if (closed_) return std::nullopt;
  std::size_t slot = slots_.size();
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(who);
  } else {
    if (slots_.size() == slots_.capacity()) slots_.reserve(2 * slots_.size() + 8);
    free_.reserve(slots_.capacity()); // so that leaving never allocates
    slots_.push_back(std::move(who));
  }
  ++inside_;
  return slot;
}

void gate::leave(std::size_t slot) noexcept {
  const std::scoped_lock leaving{lock_};
  slots_[slot].reset();
  free_.push_back(slot);
  if (--inside_ != 0) return;
  // The wake-up comes with the lock held: once it is free, a waiter may destroy the gate.
  // Release pairs with the acquire in wait_until: the waiter sees what the last holder did.
  emptied_.fetch_add(1, std::memory_order_release);
  wait::futex_wake_all(emptied_);
}

void gate::close() noexcept {
  const std::scoped_lock closing{lock_};
  closed_ = true;
}

bool gate::closed() const noexcept {
  const std::scoped_lock looking{lock_};
  return closed_;
}

bool gate::wait_until(deadline until) noexcept {
  for (;;) {
    // The count is read before the look at `inside_`, so an emptying after the look changes the word
    // and the kernel refuses to sleep on it.
    const std::uint32_t seen = emptied_.load(std::memory_order_acquire); // pairs with release in leave
    if (size() == 0) return true;
    if (wait::futex_wait(emptied_, seen, until) == wait::futex_result::timed_out) return size() == 0;
  }
}

std::size_t gate::size() const noexcept {
  const std::scoped_lock looking{lock_};
  return inside_;
}

std::vector<gate::holder> gate::holders() const {
  const std::scoped_lock looking{lock_};
  std::vector<holder> who;
  for (const auto& slot : slots_)
    if (slot) who.push_back(*slot);
  return who;
}

pass& pass::operator=(pass&& other) noexcept {
  if (this != &other) {
    leave();
    gate_ = std::exchange(other.gate_, nullptr);
    slot_ = other.slot_;
  }
  return *this;
}

void pass::leave() noexcept {
  if (gate* from = std::exchange(gate_, nullptr)) from->leave(slot_);
}

} // namespace lastcall
