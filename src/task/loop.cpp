// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/loop.hpp>

#include <lastcall/task/errors.hpp>

#include "task/loop_core.hpp"
#include "task/loop_run.hpp"

#include <stdexcept>

namespace lastcall {

namespace {

detail::loop_core& core_here() { return detail::activity::must_be_in_one().its_loop(); }

} // namespace

// The runtime's side of the end: a loop on another thread is asked to end, and its memory waits for that.
loop::loop(loop_options options)
    : core_{std::make_shared<detail::loop_core>(options)}, patience_{options.patience} {
  auto* const core = core_.get();
  in_flight_ = std::make_unique<in_flight>(
      "loop " + options.name, core_,
      [core, box = core_->box()] {
        box->post([core] { core->root().cancel({.text = "the runtime ends"}); });
      },
      [core](deadline until) { return core->wait_for_end(until); });
}

loop::~loop() {
  bool all = true;
  if (!core_->is_over()) all = core_->end(deadline::after(patience_));
  run_.reset();
  if (all && core_->activities() == 0) in_flight_->over();
}

asio::io_context& loop::context() noexcept { return core_->io(); }

loop_handle loop::handle() const noexcept { return loop_handle{core_, core_->box()}; }

void loop::begin_main(
    const std::function<void(detail::loop_core&, detail::scope_node&, detail::child_owner&)>& start) {
  LASTCALL_ASSERT(detail::activity::current() == nullptr, "a loop is run inside a coroutine of another one");
  core_->begin();
  run_ = std::make_unique<detail::loop_run>(*core_);
  start(*core_, core_->main_scope(), *run_);
}

bool loop::step() noexcept {
  while (core_->step()) {
  }
  return run_ && !run_->over();
}

bool loop::wait_and_step() noexcept {
  core_->wait();
  return step();
}

void loop::run_to_end() {
  for (;;) {
    const bool any = core_->step();
    if (run_->over()) break;
    if (!any) core_->wait();
  }
  finish();
}

void loop::finish() {
  core_->end(deadline::after(patience_));
  auto how = run_->take();
  run_.reset();
  std::move(how).take();
}

std::optional<time_point> loop::next_due() const noexcept { return core_->next_due(); }
bool loop::expects_others() const noexcept { return core_->outside() != 0; }
std::size_t loop::running() const noexcept { return core_->activities(); }
void loop::hurry(deadline until) noexcept { core_->hurry(until); }
void loop::cancel(std::string_view why) noexcept { core_->main_scope().cancel({.text = why}); }
void loop::cancel_all(std::string_view why) noexcept { core_->root().cancel({.text = why}); }
bool loop::was_cancelled() const noexcept { return core_->main_scope().due() != nullptr; }
void loop::on_exception(loop_exception_handler handler) noexcept { core_->on_exception(std::move(handler)); }
std::size_t loop::unhandled() const noexcept { return core_->unhandled_count(); }

bool loop_handle::try_post(std::function<void()> fn) const {
  return to_->post([fn = std::move(fn), core = core_] {
    try {
      fn();
    } catch (...) {
      if (const auto alive = core.lock()) alive->unhandled("a function posted to it");
    }
  });
}

void loop_handle::post(std::function<void()> fn) const {
  if (!try_post(std::move(fn))) throw std::system_error{task_errc::loop_over, "loop_handle::post"};
}

void acknowledge_request() { core_here().acknowledge(); }

} // namespace lastcall
