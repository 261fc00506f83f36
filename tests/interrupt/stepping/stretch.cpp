// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/stretch.hpp"

#include "interrupt/custody.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stepping {

void stretch::begin() noexcept {
  errno = errno_before;
  __asm__ volatile("int3" ::: "memory"); // stops a traced thread
}

void stretch::end() noexcept {
  the_end();
  past.store(true, std::memory_order_relaxed);
  errno_kept = errno == errno_before;
}

void the_end() noexcept { __asm__ volatile("" ::: "memory"); }

// Whether a thread sleeps on the herald's bell. Asked of the kernel without waking it: whoever waits there
// may be moved to another word, and is moved to the same one. (/proc shows it too, at a price: the kernel
// takes longer to forget what was looked up there of a process that has ended than for all else in a run.)
namespace {

bool herald_sleeps() noexcept {
  const auto& bell = lastcall::detail::the_custody.bell;
  const std::uint32_t rung = bell.load(std::memory_order_relaxed);
  constexpr int wake = 0;
  constexpr long move = 1;
  return ::syscall(SYS_futex, &bell, FUTEX_CMP_REQUEUE_PRIVATE, wake, move, &bell, rung) == 1;
}

} // namespace

void settle() noexcept {
  while (!herald_sleeps()) ::sched_yield();
}

} // namespace stepping
