// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/fault_plan.hpp"

namespace {

// Each thread has its own, so that what the herald does meanwhile does not move the count; plain numbers,
// because a handler that interrupts its own thread between two calls just makes calls as well.
struct plan {
  int calls_left = 0; // 0: none fails
  int error = 0;
  bool fired = false;
  lastcall::sys::call which{};
  void (*before)() = nullptr;
};
thread_local constinit plan the_plan{};

} // namespace

namespace lastcall::sys {

int admit(call which) noexcept {
  if (the_plan.calls_left == 0 || --the_plan.calls_left != 0) return 0;
  the_plan.fired = true;
  the_plan.which = which;
  if (the_plan.before != nullptr) the_plan.before();
  return the_plan.error;
}

} // namespace lastcall::sys

namespace fault_plan {

void fail_nth(int nth, int error, void (*before)()) noexcept { the_plan = {nth, error, false, {}, before}; }

bool disarm() noexcept {
  the_plan.calls_left = 0;
  return the_plan.fired;
}

lastcall::sys::call failed() noexcept { return the_plan.which; }

} // namespace fault_plan
