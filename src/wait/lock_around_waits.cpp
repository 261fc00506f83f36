// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/lock_around_waits.hpp"

namespace lastcall::wait {

constinit std::atomic<const lock_hooks*> the_lock_hooks{nullptr};
thread_local constinit std::uint32_t big_lock_held = 0;

void lock_set_aside::give_up() noexcept {
  uncaught_ = std::uncaught_exceptions();
  ticket_ = hooks().give_up();
}

void lock_set_aside::take_back_or_park() noexcept {
  hooks().take_back_or_park(std::exchange(ticket_, 0), std::uncaught_exceptions() > uncaught_);
}

} // namespace lastcall::wait
