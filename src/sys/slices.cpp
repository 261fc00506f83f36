// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/slices.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace lastcall::sys {

slices::slices(int signal) noexcept {
  constexpr long length_ns = 5'000'000;
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal;
  event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return;
  running_ = true;
  const itimerspec every{{0, length_ns}, {0, length_ns}};
  ::timer_settime(timer_, 0, &every, nullptr);
}

slices::~slices() {
  if (running_) ::timer_delete(timer_);
}

} // namespace lastcall::sys
