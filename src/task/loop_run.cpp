// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "task/loop_run.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include "interrupt/listener.hpp"

#include <chrono>
#include <system_error>

namespace lastcall::detail {

namespace {

/// After the second request: what bounds and shields of coroutines shrink to.
constexpr duration hurried = std::chrono::seconds{2};

} // namespace

loop_run::loop_run(loop_core& of) : loop_{of}, signals_{core_here()} {
  if (signals_ == nullptr) return;
  climbing_ = signals_->add(std::make_shared<listener>(
      listener::ladder_function{[core = &loop_, box = loop_.box()](ladder_step to, const request&) {
        if (to == ladder_step::hurry) box->post([core] { core->hurry(deadline::after(hurried)); });
      }}));
  // Last: its handler looks at this object, and the loop is stepped once more when this constructor fails.
  wakeup_.emplace(loop_.io(), signals_->wakeup_fd());
  try {
    watch();
  } catch (...) {
    wakeup_->release(); // it is the scope's
    throw;
  }
  loop_.on_acknowledge([this] { acknowledge(); });
  loop_.listener(this);
}

loop_run::~loop_run() {
  if (wakeup_) wakeup_->release(); // it is the scope's
  loop_.on_acknowledge({});
  loop_.listener(nullptr);
}

void loop_run::watch() {
  wakeup_->async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
    watching_ = false; // what came is looked at by `hear`, which the loop calls in any case
    if (!error && (here().due.load(std::memory_order_relaxed) & bits_of_scope) == 0) watch();
  });
  watching_ = true;
}

void loop_run::hear() noexcept {
  std::error_code interrupted;
  lastcall::checkpoint(interrupted); // runs posted calls, too
  if (interrupted) {
    if (heard_) return;
    heard_ = true;
    const auto why = signals_->why();
    loop_.main_scope().cancel({why.value_or(request{}), "request"});
  } else if (!watching_ && !heard_) { // posted calls: there may be more
    try {
      watch();
    } catch (...) { // tried again at the next turn; until then what comes is seen when the loop wakes up
    }
  }
}

void loop_run::acknowledge() {
  signals_->acknowledge();
  heard_ = false;
  if (!watching_) watch();
}

void loop_run::child_over(task_end<void> how) noexcept {
  how_ = std::move(how);
  over_ = true;
}

} // namespace lastcall::detail
