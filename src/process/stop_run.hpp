// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/stop_plan.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstddef>

namespace lastcall::detail {

/// A stop plan that is being carried out: which step comes next, and how long it is waited for, so that the
/// last one has its time within the deadline.
class stop_run {
public:
  stop_run() noexcept = default;
  stop_run(const stop_plan& plan, deadline until) noexcept : plan_{plan}, left_{until.remaining()} {}

  /// The next step, or null when all were taken.
  const stop_step* next() noexcept {
    return taken_ < plan_.steps().size() ? &plan_.steps()[taken_++] : nullptr;
  }
  /// How long to wait after the step that `next` gave.
  duration wait() const noexcept { return plan_.share(taken_ - 1, left_); }
  std::size_t taken() const noexcept { return taken_; }

private:
  stop_plan plan_{std::initializer_list<stop_step>{}};
  duration left_{};
  std::size_t taken_ = 0;
};

} // namespace lastcall::detail
