// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/touch.hpp"

#include <lastcall/runtime/errors.hpp>

#include "runtime/thread_record.hpp"
#include "runtime/thread_registry.hpp"
#include "sys/calls.hpp"

#include <exception>

namespace lastcall::detail {

thread_local constinit thread_record* this_record = nullptr;

void park() noexcept {
  static constinit std::atomic<std::uint32_t> nobody_wakes{0};
  if (this_record != nullptr) the_registry().rest(*this_record, thread_state::parked);
  for (;;) sys::futex_wait(nobody_wakes, 0, -1);
}

void touch_slow() {
  thread_record* me = this_record;
  if (me == nullptr || me->unwound || std::uncaught_exceptions() > me->uncaught_at_start) park();
  me->unwound = true;
  throw runtime_ended{};
}

void touch_slow_noexcept() noexcept { park(); }

} // namespace lastcall::detail
