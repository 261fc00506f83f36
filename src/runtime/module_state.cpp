// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/module_state.hpp>

#include "runtime/runtime_core.hpp"
#include "runtime/state_list.hpp"
#include "runtime/touch.hpp"

#include <system_error>

namespace lastcall::detail {

std::uint64_t live_generation() noexcept { return the_core().live_generation(); }
void touch_state() { touch(); }

void state_node::enter(void (*make)(state_node&)) {
  const std::scoped_lock guard{making_};
  const std::uint64_t now = the_core().live_generation();
  if (now == 0) throw std::system_error{the_core().refusal()};
  if (generation_.load(std::memory_order_relaxed) == now) return; // by another thread, just now
  make(*this);
  the_core().states().add(*this);
  generation_.store(now, std::memory_order_release); // pairs with the acquire in get
}

void state_list::add(state_node& one) noexcept {
  const std::scoped_lock guard{lock_};
  one.older_ = newest_;
  newest_ = &one;
}

state_node* state_list::take_newest() noexcept {
  const std::scoped_lock guard{lock_};
  state_node* one = newest_;
  if (one != nullptr) newest_ = one->older_;
  return one;
}

std::string_view state_list::newest() noexcept {
  const std::scoped_lock guard{lock_};
  return newest_ != nullptr ? newest_->name() : "";
}

bool state_list::clear_newest() {
  state_node* one = take_newest();
  if (one == nullptr) return false;
  one->generation_.store(0, std::memory_order_relaxed); // nobody is left to look
  one->clear();
  return true;
}

std::size_t state_list::leak_all() noexcept {
  std::size_t count = 0;
  while (state_node* one = take_newest()) {
    one->generation_.store(0, std::memory_order_relaxed);
    one->leak();
    ++count;
  }
  return count;
}

} // namespace lastcall::detail
