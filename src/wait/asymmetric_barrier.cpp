// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The way is decided once, by the first use of either side, because the two ways do not mix: a light side
// that is only a compiler barrier needs membarrier on the heavy side. The other way round is harmless, so
// a thread that has not seen the decision yet passes a full barrier and is right in any case.
//
// A process must be registered before it may use the expedited membarrier; the kernel gives the
// registration on to a forked child and takes it away at exec, as it does with our memory. Who registers
// first decides; a second one at the same time has registered as well and loses nothing.
//
// What is left is a process that was registered and is then refused: it has put on a seccomp filter that
// kills the call. The light sides have been compiler barriers for long and cannot be called back. What
// keeps two threads from seeing each other's writes is a store that waits in a processor's buffer while
// the load behind it is done; it gets out within microseconds, and any interrupt pushes it out. So the
// heavy side waits `grace`, a thousand times as long. (Forcing the interrupts by mprotect, as others do,
// is no way out: recent processors flush each other's page tables without any.)
//
// ThreadSanitizer knows neither membarrier nor fences. Its way is a word that both sides change: changes of
// one word have an order, the one that comes second synchronizes with the first, and so sees its mark.
#include <lastcall/wait/asymmetric_barrier.hpp>

#include <lastcall/sys/config.hpp>

#include "sys/calls.hpp"
#include "sys/memory_barrier.hpp"
#include "wait/raw_futex.hpp"

#include <cerrno>

namespace lastcall::wait {

namespace {

constexpr bool thread_sanitizer = LASTCALL_CONFIG_THREAD_SANITIZER == 1;

constexpr std::int64_t grace_ns = 10'000'000;

void full_barrier() noexcept {
  if constexpr (thread_sanitizer) {
    static constinit std::atomic<std::uint32_t> passed{0};
    passed.fetch_add(1, std::memory_order_seq_cst); // pairs with itself, on the other side
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst); // pairs with itself, on the other side
  }
}

void wait_for_the_buffers() noexcept {
  full_barrier();
  const std::int64_t end = sys::monotonic_ns() + grace_ns;
  for (std::int64_t left = grace_ns; left > 0; left = end - sys::monotonic_ns()) pause(left);
  full_barrier();
}

} // namespace

constinit std::atomic<std::uint32_t> asymmetric_barrier::way_{undecided};

std::uint32_t asymmetric_barrier::decide() noexcept {
  std::uint32_t way = way_.load(std::memory_order_relaxed);
  if (way != undecided) return way;
  const bool registered = !thread_sanitizer && sys::register_memory_barrier() == 0;
  const std::uint32_t found = registered ? by_kernel : by_fences;
  // Relaxed: the word says all there is to know; the registration is the kernel's, and it is complete.
  return way_.compare_exchange_strong(way, found, std::memory_order_relaxed) ? found : way;
}

void asymmetric_barrier::light_slow() noexcept {
  decide();
  full_barrier();
}

void asymmetric_barrier::heavy() noexcept {
  if (decide() == by_fences) return full_barrier();
  int result = sys::memory_barrier();
  if (result == -EPERM && sys::register_memory_barrier() == 0) result = sys::memory_barrier();
  if (result < 0) wait_for_the_buffers();
}

bool asymmetric_barrier::light_is_free() noexcept { return decide() == by_kernel; }

} // namespace lastcall::wait
