// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "services.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/to_thread.hpp>

#include <stdexcept>
#include <string>

using lastcall::cancelled;
using lastcall::event_kind;
using lastcall::sleep_for;
using lastcall::task;

void workers::start() { pool_.emplace(lastcall::pool_options{.name = "workers", .threads = 2}); }

void workers::stop(lastcall::context& at) {
  const std::stop_callback in_a_hurry{at.token(), [this] { pool_->close(); }};
  if (const auto left = pool_->drop(at.due()); left.late()) throw std::runtime_error{describe(left)};
}

calculator::calculator(lastcall::loop& in, surroundings around, workers& on)
    : around_{around}, on_{on}, tasks_{in, {.name = "calculator"}} {}

task<> calculator::start() {
  co_await sleep_for(around_.pace);
  tasks_.start([this] { return calculate_on_and_on(); });
}

// A function on a thread cannot be cut: its token fires, and it is waited for. What it returned counts.
task<> calculator::calculate_on_and_on() {
  for (;;) {
    const bool whole =
        co_await lastcall::to_thread(on_.pool(), "calculation", [this](lastcall::stop_token stop) {
          return lastcall::io::sleep_for(around_.pace / 2, stop);
        });
    done_ += whole ? 1 : 0;
    co_await sleep_for(around_.pace / 4);
  }
}

task<> calculator::stop(lastcall::context& at) {
  tasks_.cancel("stop");
  co_await tasks_.join();
  // Also when the pool is full of work that never ends: this has a thread of its own.
  const int all = co_await lastcall::to_thread_final(on_.pool(), "sum", [this] { return done_; });
  at.progress("summing up");
  co_await sleep_for(around_.pace);
  around_.log.record(event_kind::note, at.name(),
                     all == 0 ? "nothing was calculated" : "all that was calculated is stored");
}

updater::updater(lastcall::loop& in, surroundings around, update_kind kind)
    : around_{around},
      kind_{kind},
      tasks_{in, {.name = "updates", .error = lastcall::on_child_error::report}} {}

task<> updater::start() {
  co_await sleep_for(around_.pace);
  tasks_.start([this] { return update_on_and_on(); });
}

task<> updater::update_on_and_on() {
  for (;;) {
    if (kind_ == update_kind::shielded)
      co_await lastcall::shielded(10 * around_.pace, [this] { return update(); });
    else if (kind_ == update_kind::plain)
      co_await update();
    else
      tasks_.start([this] { return update(); });
    co_await sleep_for(2 * around_.pace);
  }
}

task<> updater::update() {
  around_.log.record(event_kind::note, "updater", "an update begins");
  try {
    co_await sleep_for(around_.pace / 2);
    if (kind_ == update_kind::failing) throw std::runtime_error{"the update's source does not answer"};
    co_await sleep_for(around_.pace / 2);
  } catch (const cancelled&) {
    around_.log.record(event_kind::note, "updater", "an update was cut, and is taken back");
    throw;
  }
  around_.log.record(event_kind::note, "updater", "an update is done");
}

task<> updater::stop() {
  tasks_.cancel("stop");
  co_await tasks_.join();
  co_await sleep_for(around_.pace);
}
