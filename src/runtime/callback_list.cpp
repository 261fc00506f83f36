// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/callback_list.hpp"

#include "runtime/runtime_core.hpp"

#include <system_error>
#include <utility>

namespace lastcall::detail {

void callback_list::open(std::uint64_t generation) noexcept {
  const std::scoped_lock guard{lock_};
  open_to_ = generation;
}

std::size_t callback_list::close() noexcept {
  const std::scoped_lock guard{lock_};
  open_to_ = 0;
  for (const auto& one : waiting_) one->waits_ = false;
  const std::size_t count = waiting_.size();
  dropped_.splice(dropped_.end(), waiting_);
  return count;
}

bool callback_list::destroy_dropped() {
  std::list<std::shared_ptr<callback>> one; // destroyed with the lock free
  const std::scoped_lock guard{lock_};
  if (dropped_.empty()) return false;
  one.splice(one.end(), dropped_, dropped_.begin());
  return true;
}

void callback_list::add(const std::shared_ptr<callback>& what) {
  std::list<std::shared_ptr<callback>> node{what};
  const std::scoped_lock guard{lock_};
  if (open_to_ == 0) throw std::system_error{the_core().refusal()};
  what->place_ = node.begin();
  what->waits_ = true;
  waiting_.splice(waiting_.end(), node);
}

std::function<void()> callback_list::take_out(callback& which) noexcept {
  which.waits_ = false;
  std::function<void()> fn = std::move(which.fn_);
  which.fn_ = nullptr;
  waiting_.erase(which.place_);
  return fn;
}

std::function<void()> callback_list::take(callback& which) noexcept {
  const std::scoped_lock guard{lock_};
  if (!which.waits_) return {};
  return take_out(which);
}

bool callback_list::call_newest(std::uint64_t generation) {
  std::function<void()> fn;
  {
    const std::scoped_lock guard{lock_};
    // Not when a hand that was left behind comes back, in another runtime's time.
    if (open_to_ != generation || waiting_.empty()) return false;
    const auto newest = waiting_.back(); // keeps it until it is out
    fn = take_out(*newest);
  }
  fn(); // one that is empty throws
  return true;
}

bool callback_list::empty() noexcept {
  const std::scoped_lock guard{lock_};
  return waiting_.empty();
}

bool callback_list::waits(const callback& which) noexcept {
  const std::scoped_lock guard{lock_};
  return which.waits_;
}

} // namespace lastcall::detail
