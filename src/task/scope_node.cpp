// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/scope_node.hpp>

#include <lastcall/sys/config.hpp>
#include <lastcall/task/activity.hpp>

#include "task/loop_core.hpp"

#include <algorithm>

namespace lastcall::detail {

scope_node::scope_node(loop_core& loop, std::string_view name) noexcept
    : member{true}, loop_{loop}, name_{name} {}

scope_node::~scope_node() {
  if (armed()) loop_.timers().remove(*this);
  if (in != nullptr) detach();
}

void scope_node::add(member& newest) noexcept {
  newest.in = this;
  newest.older = newest_;
  newest.newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = &newest;
  newest_ = &newest;
}

void scope_node::remove(member& one) noexcept {
  (one.older != nullptr ? one.older->newer : oldest_) = one.newer;
  (one.newer != nullptr ? one.newer->older : newest_) = one.older;
  one.in = nullptr;
  one.older = one.newer = nullptr;
}

void scope_node::replace(member& old, member& by) noexcept {
  by.in = this;
  by.older = old.older;
  by.newer = old.newer;
  (by.older != nullptr ? by.older->newer : oldest_) = &by;
  (by.newer != nullptr ? by.newer->older : newest_) = &by;
  old.in = nullptr;
  old.older = old.newer = nullptr;
}

void scope_node::attach(scope_node& parent) noexcept {
  parent.add(*this);
  refresh();
}

void scope_node::detach() noexcept { in->remove(*this); }

void scope_node::enter(activity& who) noexcept {
  who.in->replace(who, *this);
  who.scope(*this);
  add(who);
  refresh();
}

void scope_node::leave(activity& who) noexcept {
  LASTCALL_ASSERT(&who.scope() == this, "scopes are left in another order than they were entered");
  scope_node& outer = *in;
  remove(who);
  outer.replace(*this, who);
  who.scope(outer);
}

void scope_node::cancel(const cancellation& what) noexcept {
  if (own_) return;
  own_ = what;
  if (own_->why.when == time_point{}) own_->why.when = clock::now();
  refresh();
}

void scope_node::acknowledge() noexcept {
  own_.reset();
  refresh();
}

void scope_node::cancel_at(deadline until) {
  until_ = until;
  if (armed()) loop_.timers().remove(*this);
  if (!until_.is_never() || !held_until_.is_never())
    loop_.timers().add(*this, earlier(until_, held_until_).when());
  if (until_.expired()) cancel({.cause = cause::deadline, .text = "its deadline has passed"});
}

void scope_node::shield(shielding now) noexcept {
  shield_ = now;
  held_until_ = deadline::never();
  arm();
  refresh();
}

void scope_node::shield_for(duration longest) {
  hold_ = longest;
  cancel_at(until_); // room in the heap is had once, here, where it may fail
  shield(shielding::up);
}

void scope_node::hurry(deadline until) noexcept {
  if (shield_ == shielding::up) {
    if (!until_.is_never()) {
      until_ = earlier(until_, until);
    } else {
      hold_ = std::min(hold_, until.remaining());
      if (in != nullptr && in->due_ != nullptr) held_until_ = earlier(held_until_, until);
    }
    arm();
  }
  for (member* one = newest_; one != nullptr; one = one->older)
    if (one->is_scope) static_cast<scope_node*>(one)->hurry(until);
}

/// A timer that cannot be had for want of memory has come: nothing is held back without a bound.
void scope_node::arm() noexcept {
  if (armed()) loop_.timers().remove(*this);
  const deadline next = earlier(until_, held_until_);
  if (next.is_never()) return;
  try {
    loop_.timers().add(*this, next.when());
  } catch (...) {
    fire();
  }
}

/// A loop that did not get to run for long (a stopped process) was not late: what waits gets a bit more,
/// once.
void scope_node::fire() noexcept {
  if (!held_until_.is_never() && held_until_.when() <= until_.when()) {
    if (held_until_.grant_slice()) return arm();
    return shield(shielding::none);
  }
  if (until_.grant_slice()) return arm();
  const auto past = until_;
  until_ = deadline::never();
  arm();
  until_ = past;
  cancel({.cause = cause::deadline, .text = "its deadline has passed"});
}

void scope_node::refresh() noexcept {
  const cancellation* const outside = in != nullptr ? in->due_ : nullptr;
  const bool held = shield_ == shielding::up && outside != nullptr;
  if (held && held_until_.is_never() && hold_ != duration::max()) {
    held_until_ = deadline::after(hold_);
    arm();
    if (shield_ == shielding::none) return; // there was no room for it: refreshed by its lifting
  }
  const cancellation* now = held ? nullptr : outside;
  if (now == nullptr && own_) now = &*own_;
  if (now == due_) return;
  due_ = now;
  if (due_ != nullptr) on_due();
  tell_members();
}

/// Nothing that a member does when it is told changes the list: it becomes ready, or a nursery in it does the
/// same with its own.
void scope_node::tell_members() noexcept {
  for (member* one = oldest_first_ ? oldest_ : newest_; one != nullptr;) {
    member* const next = oldest_first_ ? one->newer : one->older;
    tell(*one);
    one = next;
  }
}

void scope_node::tell(member& one) noexcept {
  if (one.is_scope)
    static_cast<scope_node&>(one).refresh();
  else if (due_ != nullptr)
    static_cast<activity&>(one).deliver();
}

} // namespace lastcall::detail
