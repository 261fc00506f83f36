// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/in_flight.hpp>

#include "runtime/operation_list.hpp"
#include "runtime/runtime_core.hpp"

#include <algorithm>
#include <stdexcept>
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
  return over;
}

void operation_list::add(const std::shared_ptr<operation>& one) {
  const std::scoped_lock guard{lock_};
  under_way_.push_back(one);
}

operation_list::node operation_list::take(const std::shared_ptr<operation>& one) noexcept {
  node taken;
  const std::scoped_lock guard{lock_};
  const auto at = std::find(under_way_.begin(), under_way_.end(), one);
  if (at != under_way_.end()) taken.splice(taken.end(), under_way_, at);
  return taken;
}

void operation_list::keep(node one) noexcept {
  const std::scoped_lock guard{lock_};
  kept_.splice(kept_.end(), one);
}

bool operation_list::cancel_next() noexcept {
  std::shared_ptr<operation> one;
  {
    const std::scoped_lock guard{lock_};
    if (under_way_.empty()) return false;
    one = under_way_.front();
    asked_.splice(asked_.end(), under_way_, under_way_.begin());
  }
  one->cancel();
  return true;
}

bool operation_list::settle_next(deadline until) {
  std::shared_ptr<operation> one;
  {
    const std::scoped_lock guard{lock_};
    if (asked_.empty()) return false;
    one = asked_.front();
    kept_.splice(kept_.end(), asked_, asked_.begin());
  }
  if (!one->settle(until)) throw std::runtime_error{"not over, its memory is kept: " + one->name()};
  const std::scoped_lock guard{lock_};
  kept_.remove(one); // `one` outlives the lock
  return true;
}

void operation_list::keep_rest() noexcept {
  const std::scoped_lock guard{lock_};
  kept_.splice(kept_.end(), asked_);
  kept_.splice(kept_.end(), under_way_);
}

std::size_t operation_list::kept() noexcept {
  const std::scoped_lock guard{lock_};
  return kept_.size();
}

bool operation_list::empty() noexcept {
  const std::scoped_lock guard{lock_};
  return under_way_.empty();
}

void operation_list::in_child() noexcept {
  kept_.splice(kept_.end(), asked_);
  kept_.splice(kept_.end(), under_way_);
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
  if (it_ == nullptr) return;
  auto mine = the_core().operations().take(it_);
  if (mine.empty()) return;
  it_->cancel();
  if (it_->settle(deadline::after(patience))) return;
  the_core().operations().keep(std::move(mine));
  the_core().note_leaked(1);
}

void in_flight::over() noexcept {
  if (it_ != nullptr) the_core().operations().take(it_);
}

} // namespace lastcall
