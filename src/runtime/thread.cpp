// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/runtime_core.hpp"
#include "runtime/thread_record.hpp"
#include "runtime/thread_registry.hpp"
#include "runtime/touch.hpp"
#include "wait/lock_around_waits.hpp"

#include <system_error>

namespace lastcall {

using detail::the_core;
using detail::the_registry;
using detail::thread_kind;

namespace {

std::shared_ptr<detail::thread_record> started(thread_kind kind, std::string_view name,
                                               std::string_view reason,
                                               std::unique_ptr<detail::thread_body> body) {
  detail::touch();
  auto record = std::make_shared<detail::thread_record>();
  record->name = name;
  record->reason = reason;
  record->kind = kind;
  record->body = std::move(body);
  the_core().start(record);
  return record;
}

} // namespace

namespace detail {

thread_handle::thread_handle() noexcept = default;
thread_handle::~thread_handle() = default;
thread_handle::thread_handle(thread_handle&&) noexcept = default;
thread_handle& thread_handle::operator=(thread_handle&&) noexcept = default;

std::string_view thread_handle::name() const noexcept {
  return record_ != nullptr ? record_->name.view() : std::string_view{};
}

int thread_handle::id() const noexcept {
  return record_ != nullptr ? record_->id.load(std::memory_order_relaxed) : 0;
}

bool thread_handle::request_stop(reason why) noexcept {
  return record_ != nullptr && detail::request_stop(*record_, why);
}

bool thread_handle::wait(deadline until) {
  touch();
  if (record_ == nullptr) return true;
  if (record_.get() == this_record)
    throw std::system_error{std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "a thread waits for its own end"};
  const bool ended = the_registry().wait_for_as_owner(*record_, until);
  touch(); // the runtime of a thread that waits may have ended meanwhile
  if (ended)
    reap(until);
  else if (record_->state.load(std::memory_order_acquire) == thread_state::parked) // as in rests
    throw std::system_error{runtime_errc::never_ends};
  return ended;
}

bool thread_handle::wait(deadline until, std::error_code& error) noexcept {
  error.clear();
  touch_noexcept();
  if (record_ == nullptr) return true;
  if (record_.get() == this_record) {
    error = std::make_error_code(std::errc::resource_deadlock_would_occur);
    return false;
  }
  const bool ended = the_registry().wait_for_as_owner(*record_, until, error);
  touch_noexcept();
  if (ended)
    reap(until);
  else if (!error && record_->state.load(std::memory_order_acquire) == thread_state::parked) // as in rests
    error = runtime_errc::never_ends;
  return ended;
}

void thread_handle::reap(deadline until) noexcept {
  const wait::lock_set_aside aside; // its last steps may be destructors of the program's
  the_registry().reap(*record_, until);
}

} // namespace detail

thread::thread(std::string_view name, std::unique_ptr<detail::thread_body> body) {
  record_ = started(thread_kind::joined, name, {}, std::move(body));
}

thread::~thread() { let_go(); }

thread& thread::operator=(thread&& other) noexcept {
  if (this != &other) {
    let_go();
    thread_handle::operator=(std::move(other));
  }
  return *this;
}

bool thread::join(deadline until) {
  if (!wait(until)) return false;
  record_.reset();
  return true;
}

bool thread::join(deadline until, std::error_code& error) noexcept {
  if (!wait(until, error)) return false;
  record_.reset();
  return true;
}

void thread::let_go() noexcept {
  if (record_ == nullptr || record_.get() == detail::this_record) return;
  detail::request_stop(*record_, {.cause = cause::call, .text = "its handle is gone"});
  const deadline until = deadline::after(patience);
  if (the_registry().wait_for(*record_, until)) the_registry().reap(*record_, until);
  record_.reset();
}

daemon_thread::daemon_thread(std::string_view name, std::string_view reason,
                             std::unique_ptr<detail::thread_body> body) {
  record_ = started(thread_kind::daemon, name, reason, std::move(body));
}

std::string_view daemon_thread::reason() const noexcept {
  return record_ != nullptr ? record_->reason.view() : std::string_view{};
}

bool daemon_thread::join(deadline until) { return wait(until); }
bool daemon_thread::join(deadline until, std::error_code& error) noexcept { return wait(until, error); }

bool daemon_thread::rests() const noexcept { return record_ == nullptr || record_->rests(); }

} // namespace lastcall
