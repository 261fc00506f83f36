// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "executor/pool_core.hpp"
#include "executor/pool_help.hpp"

#include <lastcall/runtime/errors.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/touch.hpp"

#include <memory>
#include <mutex>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lastcall::detail {

/// What a worker's thread runs. It keeps the core for as long as the thread runs.
///
/// A thread that begins when its runtime is over already does not run it; then its destructor gives the place
/// back, for nobody else will.
class worker_body final : public thread_body {
public:
  worker_body(std::shared_ptr<pool_core> core, pool_worker& place) noexcept
      : core_{std::move(core)}, place_{place} {}
  ~worker_body() override {
    if (!settled_ && !core_->in_forked_child()) core_->forget_start(place_);
  }
  void run(const stop_token& stop) override {
    settled_ = true;
    const lastcall::stop_callback at_end{stop, [this](const reason&) { core_->runtime_ends(); }};
    core_->work(place_, stop);
  }
  /// There is no thread.
  void settle() noexcept { settled_ = true; }

private:
  const std::shared_ptr<pool_core> core_;
  pool_worker& place_;
  bool settled_ = false;
};

class reserve_body final : public thread_body {
public:
  explicit reserve_body(std::shared_ptr<pool_core> core) noexcept : core_{std::move(core)} {}
  ~reserve_body() override {
    if (!settled_ && !core_->in_forked_child()) core_->leave_reserve();
  }
  void run(const stop_token& stop) override {
    settled_ = true;
    const lastcall::stop_callback at_end{stop, [this](const reason&) { core_->runtime_joins_reserve(); }};
    core_->work_reserve();
  }
  void settle() noexcept { settled_ = true; }

private:
  const std::shared_ptr<pool_core> core_;
  bool settled_ = false;
};

namespace {

std::shared_ptr<thread_record> new_record(std::string_view name, thread_kind kind,
                                          std::unique_ptr<thread_body> body) {
  auto record = std::make_shared<thread_record>();
  record->name = name;
  record->kind = kind;
  record->body = std::move(body);
  return record;
}

} // namespace

// With the lock held. The one that is woken or started counts as searching until it has looked.
pool_core::help pool_core::call_for_help() noexcept {
  help sent;
  if (idle_ != nullptr) {
    sent.woken = std::exchange(idle_, idle_->next_idle);
    sent.woken->state = worker_state::begun;
    sent.woken->searches = true;
    ++searching_;
  } else {
    sent.added = place_for_another();
  }
  return sent;
}

void pool_core::send(const help& whom) noexcept {
  if (whom.woken != nullptr) {
    whom.woken->woken.store(1, std::memory_order_release); // pairs with the acquire in sleep
    wait::futex_wake_one(whom.woken->woken);
  }
  if (whom.added == nullptr) return;
  try {
    start(*whom.added);
  } catch (...) { // it goes on with the threads that it has
    bool none = false;
    {
      const std::scoped_lock guard{lock_};
      none = live_ == 0;
    }
    if (none) break_pool("its last thread was lost, and there is no other: " + failure_text());
  }
}

// With the lock held.
pool_worker* pool_core::place_for_another() noexcept {
  if (closed_ || live_ == most_) return nullptr;
  for (std::size_t i = 0; i < most_; ++i) {
    pool_worker& place = workers_[i];
    if (place.state != worker_state::unused) continue;
    place.state = worker_state::begun;
    place.left_behind = false;
    ++live_;
    if (options_.initializer) return &place; // nobody knows when that returns
    place.searches = true;
    ++searching_;
    return &place;
  }
  return nullptr;
}

// A place whose thread could not be started, or has begun too late to run anything.
void pool_core::forget_start(pool_worker& place) noexcept {
  std::shared_ptr<thread_record> gone; // destroyed without the lock
  {
    const std::scoped_lock guard{lock_};
    gone = std::exchange(place.record, nullptr);
    place.state = worker_state::unused;
    if (std::exchange(place.searches, false)) --searching_;
    if (place.left_behind) --left_;
    --live_;
  }
  changed_.ring();
}

void pool_core::start(pool_worker& place) {
  std::shared_ptr<thread_record> record, before; // of a thread that has left this place
  worker_body* body = nullptr;
  try {
    auto made = std::make_unique<worker_body>(shared_from_this(), place);
    body = made.get();
    record =
        new_record(options_.name + '-' + std::to_string(place.number), thread_kind::joined, std::move(made));
    {
      const std::scoped_lock guard{lock_};
      before = std::exchange(place.record, record);
    }
    the_core().start(record);
  } catch (...) {
    if (record != nullptr) { // else the body has been destroyed, and has done it
      body->settle();
      forget_start(place);
    } else if (body == nullptr) {
      forget_start(place);
    }
    throw;
  }
}

void pool_core::start_reserve() {
  const auto begin = [this](thread_kind kind) {
    auto made = std::make_unique<reserve_body>(shared_from_this());
    reserve_body& body = *made;
    std::shared_ptr<thread_record> record;
    try {
      record = new_record(options_.name + "-reserve", kind, std::move(made));
      record->reason = "runs what the end of the pool needs";
      {
        const std::scoped_lock guard{lock_};
        reserve_.record = record;
        reserve_.state = worker_state::begun;
        reserve_joins_ = kind == thread_kind::joined;
      }
      the_core().start(record);
    } catch (...) {
      if (record == nullptr) throw; // the body has been destroyed, and has left
      body.settle();
      const std::scoped_lock guard{lock_};
      reserve_.record = nullptr; // `record` destroys it, without the lock
      reserve_.state = worker_state::unused;
      throw;
    }
  };
  try {
    begin(thread_kind::daemon); // so that it is there while functions of at_exit run
  } catch (const std::system_error& error) {
    if (error.code() != runtime_errc::forbidden) throw;
    begin(thread_kind::joined);
  }
}

void pool_core::start_threads() {
  touch();
  try {
    start_reserve();
    for (std::size_t i = 0; i < options_.threads; ++i) {
      pool_worker* place = nullptr;
      {
        const std::scoped_lock guard{lock_};
        if (closed_) throw std::system_error{the_core().refusal(), "the pool \"" + options_.name + '"'};
        place = place_for_another();
      }
      start(*place);
    }
  } catch (...) {
    let_go();
    throw;
  }
}

} // namespace lastcall::detail
