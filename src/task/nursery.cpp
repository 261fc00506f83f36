// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/nursery.hpp>

#include <lastcall/sys/config.hpp>
#include <lastcall/task/loop.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/sentence.hpp"
#include "task/loop_core.hpp"

#include <string>
#include <system_error>
#include <utility>

namespace lastcall {

namespace detail {

namespace {

std::string_view said(sentence& into, const std::exception_ptr& error, std::string_view who) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const cancelled&) {
    into = sentence{who, " threw cancelled, though nobody had cancelled it"};
  } catch (...) {
    into = sentence{who, " failed: ", failure_text()};
  }
  return into;
}

} // namespace

nursery_core::nursery_core(loop_core& loop, const nursery_options& options)
    : scope_node{loop, options.name},
      alive_{loop.shared_from_this()},
      order_{options.order},
      on_error_{options.error} {
  if (order_ == cancel_order::oldest_first) tell_oldest_first();
}

nursery_core::~nursery_core() { report_failures(); }

void nursery_core::require_open() const {
  if (closed_) throw std::system_error{task_errc::nursery_closed, std::string{name()}};
}

bool nursery_core::outlived_its_loop() const noexcept { return alive_->is_over(); }

void nursery_core::failed(std::exception_ptr error, std::string_view who) noexcept {
  if (on_error_ == on_child_error::report) {
    try {
      std::rethrow_exception(std::move(error));
    } catch (...) {
      its_loop().unhandled(sentence{who, " '", name(), "'"});
    }
    return;
  }
  sentence why;
  cancel(reason{.text = said(why, error, who)});
  try {
    errors_.push_back(std::move(error));
  } catch (...) {
    ++unkept_;
  }
}

void nursery_core::throw_failures() {
  if (!errors_.empty() || unkept_ != 0) throw failures{std::exchange(errors_, {}), std::exchange(unkept_, 0)};
}

void nursery_core::report_failures() noexcept {
  for (const auto& each : std::exchange(errors_, {})) {
    try {
      std::rethrow_exception(each);
    } catch (...) {
      its_loop().unhandled(sentence{"a child of a nursery that nobody joined, '", name(), "',"});
    }
  }
}

void nursery_core::child_over(task_end<void> how) noexcept {
  --children_;
  if (how.failed() || (how.was_cancelled() && due() == nullptr))
    failed(how.error(), "a child of the nursery");
  if (children_ == 0 && waits_ != nullptr) std::exchange(waits_, nullptr)->who_->wake();
}

void nursery_core::on_due() noexcept {
  if (takes_turns()) next_turn();
}

void nursery_core::next_turn() noexcept {
  if (last_turn_ != nullptr && due() != nullptr) last_turn_->cancel(*due());
}

nursery_core::turn::turn(nursery_core& of)
    : scope_node{of.its_loop(), of.name()}, of_{of}, before_{of.last_turn_} {
  shield(shielding::up);
  if (before_ != nullptr) before_->after_ = this;
  of_.last_turn_ = this;
  if (before_ == nullptr) of_.next_turn(); // it begins in a nursery that is cancelled, after all the others
}

nursery_core::turn::~turn() {
  if (before_ != nullptr) before_->after_ = after_;
  (after_ != nullptr ? after_->before_ : of_.last_turn_) = before_;
  of_.next_turn();
}

bool nursery_core::all_ended::await_suspend(std::coroutine_handle<> frame) noexcept {
  LASTCALL_ASSERT(of_.waits_ == nullptr, "a nursery is joined by two coroutines at once");
  who_ = &activity::must_be_in_one();
  if (who_->due() != nullptr) pass_on();
  if (of_.children_ == 0) return false;
  of_.waits_ = this;
  who_->wait(frame, *this);
  return true;
}

void nursery_core::all_ended::abort() noexcept { pass_on(); }

/// Who waits inside the nursery is told because its children are already.
void nursery_core::all_ended::pass_on() noexcept {
  if (&who_->scope() != &of_) of_.cancel(*who_->due());
}

std::unique_ptr<nursery_core> nursery_here(const nursery_options& options) {
  return std::make_unique<nursery_core>(activity::must_be_in_one().its_loop(), options);
}

} // namespace detail

nursery::nursery(std::unique_ptr<detail::nursery_core> core) noexcept : core_{std::move(core)} {}

nursery::nursery(loop& of, const nursery_options& options)
    : core_{std::make_unique<detail::nursery_core>(*of.core(), options)} {
  core_->attach(of.core()->root());
}

nursery::~nursery() {
  if (core_->size() == 0) return;
  LASTCALL_ASSERT(
      core_->outlived_its_loop(),
      "a nursery is left while children run in it: co_await its join() before, or use with_nursery");
  // The loop has counted those that it could not bring to their end. What they may still use is kept for
  // them.
  static_cast<void>(core_.release());
}

void nursery::cancel(std::string_view why) noexcept { core_->cancel(reason{.text = why}); }
bool nursery::cancel_called() const noexcept { return core_->own().has_value(); }
std::size_t nursery::size() const noexcept { return core_->size(); }

task<> nursery::join() {
  auto& core = *core_;
  co_await detail::nursery_core::all_ended{core};
  core.close();
  core.throw_failures();
  if (const auto by = this_task::why()) throw cancelled{*by};
}

} // namespace lastcall
