// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>

namespace lastcall::wait {

/// A memory barrier between one side that runs all the time and one that hardly ever does.
///
/// "I write my mark, then look whether you are closing" against "I write that I am closing, then look for
/// marks": at least one must see the other's write, and processors only promise that when there is a full
/// barrier between the write and the look on *both* sides. A full barrier costs the frequent side more than
/// everything else it does. Linux lets the rare side pay for both: `membarrier` makes every running thread
/// of this process pass a full barrier, so the frequent side only has to keep its compiler from reordering.
///
///     // often                              // hardly ever
///     mark.store(1, relaxed);               closing.store(true, relaxed);
///     asymmetric_barrier::light();          asymmetric_barrier::heavy(); // they pair with each other
///     if (closing.load(relaxed)) …          if (mark.load(relaxed)) …
///
/// It orders, and nothing else: what one thread wrote for another to read still needs its release and
/// acquire. Two `heavy()` pair with each other, two `light()` do not.
///
/// Limits: where the kernel has no membarrier or a filter refuses it, both sides are full barriers; so they
///   are in a library built for ThreadSanitizer, which knows nothing of the kernel's. See
///   asymmetric_barrier.cpp.
/// Threads: any. A forked child goes on with what its parent had decided; the registration is inherited.
/// Signals: all of it is async-signal-safe. Neither side ever fails.
class asymmetric_barrier {
public:
  /// The frequent side: a load, a branch always taken the same way, and no instruction of the processor's.
  static void light() noexcept {
    // Relaxed: the way is decided once. Who still reads `undecided` passes a full barrier.
    if (way_.load(std::memory_order_relaxed) == by_kernel) [[likely]]
      std::atomic_signal_fence(std::memory_order_seq_cst); // pairs with the membarrier in heavy()
    else
      light_slow();
  }

  /// The rare side: a system call of about a microsecond, with interrupts to the processors that run this
  /// process's threads. A first use in a process with threads may take some milliseconds.
  static void heavy() noexcept;

  /// Whether the kernel does the work of `light`, deciding it now if need be.
  static bool light_is_free() noexcept;

private:
  static constexpr std::uint32_t undecided = 0, by_kernel = 1, by_fences = 2;

  static void light_slow() noexcept;
  static std::uint32_t decide() noexcept;

  static std::atomic<std::uint32_t> way_; // from undecided to one of the others, then for good
};

} // namespace lastcall::wait
