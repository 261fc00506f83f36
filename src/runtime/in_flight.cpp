// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/in_flight.hpp>

#include "runtime/operation_list.hpp"
#include "runtime/runtime_core.hpp"

#include <new>
#include <utility>

namespace lastcall::detail {

void operation::cancel() noexcept {
  try {
    cancel_();
  } catch (...) { // it may be over all the same: `wait` says
  }
}

bool operation::settle(deadline until) noexcept {
  bool over = false;
  try {
    over = wait_(until);
  } catch (...) {
  }
  if (!over) static_cast<void>(new (std::nothrow) std::shared_ptr<void>{memory_}); // leaked
  return over;
}

void operation_list::add(const std::shared_ptr<operation>& one) {
  const std::scoped_lock guard{lock_};
  under_way_.push_back(one);
}

bool operation_list::remove(const std::shared_ptr<operation>& one) noexcept {
  const std::scoped_lock guard{lock_};
  for (auto at = under_way_.begin(); at != under_way_.end(); ++at)
    if (*at == one) {
      under_way_.erase(at);
      return true;
    }
  return false;
}

std::size_t operation_list::settle_all(deadline until, std::vector<std::string>& left) noexcept {
  std::list<std::shared_ptr<operation>> all;
  {
    const std::scoped_lock guard{lock_};
    all.swap(under_way_);
  }
  for (const auto& one : all) one->cancel();
  std::size_t leaked = 0;
  for (const auto& one : all) {
    if (one->settle(until)) continue;
    ++leaked;
    try {
      left.push_back(one->name());
    } catch (...) { // counted
    }
  }
  return leaked;
}

void operation_list::in_child() noexcept {
  under_way_.clear();
  lock_.unlock();
}

} // namespace lastcall::detail

namespace lastcall {

using detail::the_core;

in_flight::in_flight(std::string_view name, std::shared_ptr<void> memory, std::function<void()> cancel,
                     std::function<bool(deadline)> wait)
    : it_{std::make_shared<detail::operation>(name, std::move(memory), std::move(cancel), std::move(wait))} {
  the_core().operations().add(it_);
}

in_flight::~in_flight() {
  if (it_ == nullptr || !the_core().operations().remove(it_)) return;
  it_->cancel();
  if (!it_->settle(deadline::after(patience))) the_core().note_leaked(1);
}

void in_flight::over() noexcept {
  if (it_ != nullptr) the_core().operations().remove(it_);
}

} // namespace lastcall
