// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/loop_call.hpp>

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/task/errors.hpp>

#include "task/loop_core.hpp"

#include <system_error>

namespace lastcall::detail {

loop_call::~loop_call() = default;

void loop_call::begin(const std::shared_ptr<mailbox>& box, const std::weak_ptr<loop_core>& in) {
  const auto core = in.lock();
  LASTCALL_ASSERT(activity::current() == nullptr || &activity::current()->its_loop() != core.get(),
                  "call_in from inside that loop waits for itself: co_await the task instead");
  box_ = box;
  if (core == nullptr || !box_->post([self = shared_from_this(), at = core.get()] { self->enter(*at); }))
    throw std::system_error{task_errc::loop_over, "call_in"};
}

void loop_call::enter(loop_core& in) noexcept {
  try {
    scope_ = std::make_unique<scope_node>(in, "call_in");
    scope_->attach(in.root());
    if (cancelled_early_) scope_->cancel(reason{.text = "whoever waits for it was asked to stop"});
    make_child(
        in, *scope_, *this, [](loop_call* it) { return it->run(); }, this)
        .start();
  } catch (...) {
    how_.set_exception();
    scope_.reset();
    publish();
    return;
  }
  self_ = shared_from_this();
  loop_ = &in;
  in.add(*this);
}

void loop_call::child_over(task_end<void> how) noexcept {
  how_ = std::move(how);
  loop_->remove(*this);
  scope_.reset();
  const auto self = std::move(self_);
  publish();
}

/// The loop has ended and the task has not: it and all that it uses stay where they are.
void loop_call::left_behind() noexcept {
  try {
    throw std::system_error{task_errc::loop_over, "call_in: its task did not end in time"};
  } catch (...) {
    how_.set_exception();
  }
  publish();
}

void loop_call::publish() noexcept {
  over_.store(1, std::memory_order_release); // pairs with the acquire in wait
  wait::futex_wake_all(over_);
}

void loop_call::cancel(std::string_view why) noexcept {
  try {
    box_->post([self = shared_from_this(), text = inline_text<96>{why}] {
      if (self->scope_)
        self->scope_->cancel(reason{.text = text});
      else
        self->cancelled_early_ = true;
    });
  } catch (...) { // no memory: it goes on to its own end
  }
}

void loop_call::wait() {
  try {
    while (over_.load(std::memory_order_acquire) == 0) // pairs with the release in publish
      io::futex_wait(over_, 0, deadline::never());
  } catch (const interrupted&) {
    cancel("whoever waited for it was interrupted");
    throw;
  }
  std::move(how_).take();
}

void begin_call(const loop_handle& in, loop_call& call) { call.begin(in.box(), in.core()); }

} // namespace lastcall::detail
