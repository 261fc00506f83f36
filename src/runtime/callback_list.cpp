// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/callback_list.hpp"

#include "runtime/runtime_core.hpp"

#include <system_error>
#include <utility>

namespace lastcall::detail {

void callback_list::open() noexcept {
  const std::scoped_lock guard{lock_};
  open_ = true;
}

std::size_t callback_list::close() noexcept {
  std::list<std::shared_ptr<callback>> dropped; // destroyed with the lock free
  const std::scoped_lock guard{lock_};
  open_ = false;
  for (const auto& one : waiting_) one->waits_ = false;
  dropped.swap(waiting_);
  return dropped.size();
}

void callback_list::add(const std::shared_ptr<callback>& what) {
  std::list<std::shared_ptr<callback>> node{what};
  const std::scoped_lock guard{lock_};
  if (!open_) throw std::system_error{the_core().refusal()};
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

std::function<void()> callback_list::take_newest() noexcept {
  const std::scoped_lock guard{lock_};
  if (waiting_.empty()) return {};
  const auto newest = waiting_.back(); // keeps it until it is out
  return take_out(*newest);
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
