// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/thread_pool.hpp>

#include "executor/pool_core.hpp"
#include "executor/task_slots.hpp"
#include "runtime/touch.hpp"
#include "sys/failure.hpp"
#include "sys/incarnation.hpp"

#include <utility>

namespace lastcall {

thread_pool::thread_pool(pool_options options) {
  detail::touch();
  sys::prepare_incarnation();
  if (const int error = detail::prepare_slots_for_fork(); error < 0)
    sys::throw_failure(sys::call::at_fork, -error, "to notice a fork");
  auto core = std::make_shared<detail::pool_core>(std::move(options));
  core->start_threads();
  core_ = std::move(core);
}

thread_pool::~thread_pool() { core_->let_go(); }

void thread_pool::enter(detail::task_ptr one, lane which) {
  detail::touch();
  const auto why = which == lane::common ? core_->enter_by_policy(one) : core_->enter_reserve(one);
  if (why) [[unlikely]]
    core_->refuse(why, std::move(one));
}

std::error_code thread_pool::try_enter(detail::task_ptr one) {
  detail::touch();
  return core_->enter(one);
}

pool_report thread_pool::drain(deadline until) noexcept { return core_->end(detail::pool_end::drain, until); }
pool_report thread_pool::drop(deadline until) noexcept { return core_->end(detail::pool_end::drop, until); }
void thread_pool::close() noexcept { core_->close(); }
bool thread_pool::closed() const noexcept { return core_->closed(); }
const std::string& thread_pool::name() const noexcept { return core_->name(); }
std::size_t thread_pool::size() const noexcept { return core_->size(); }
std::size_t thread_pool::running() const noexcept { return core_->running(); }
std::size_t thread_pool::waiting() const noexcept { return core_->waiting(); }
bool thread_pool::runs_here() const noexcept { return core_->runs_here(); }

} // namespace lastcall
