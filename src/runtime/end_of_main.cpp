// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/end_of_main.hpp"

#include "runtime/runtime_core.hpp"
#include "runtime/thread_registry.hpp"
#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"
#include "sys/thread_files.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>

// `pthread_exit` in `main` ends the main thread and not the process, which goes on until its last thread
// ends. Frames are unwound, so a runtime that is a local of main's is finalized by its destructor. One that
// is a static, or on the heap, would never be: its threads wait to be asked by somebody who is gone, and its
// hand and its parked daemons are threads that never end.
//
// Thread-specific data is what tells the two ways out of main apart: its destructor is called at the end of a
// thread, after the thread_local objects are gone, and not by `exit`.
namespace lastcall::detail {

namespace {

constinit std::atomic<std::uint64_t> of_main{0}; ///< the last generation that began there

/// Threads of others, which end by themselves; the process ends with the last of them. Hands that were left
/// behind are known by number only.
bool others_are_left() noexcept {
  std::array<pid_t, 512> all{};
  const int count = sys::list_threads(all.data(), all.size());
  if (count < 0 || static_cast<std::size_t>(count) > all.size()) return true; // not to be known
  const pid_t me = sys::gettid();
  const auto others = std::count_if(all.begin(), all.begin() + count,
                                    [me](pid_t each) { return each != me && !the_registry().knows(each); });
  return static_cast<std::size_t>(others) > the_core().lost_hands();
}

void main_has_left(void*) noexcept {
  runtime_core& core = the_core();
  const std::uint64_t mine = of_main.load(std::memory_order_relaxed);
  if (sys::gettid() != sys::getpid() || mine != core.generation()) return;
  if (core.phase() != runtime_phase::none) core.finalize(mine);
  if (!others_are_left()) std::exit(0);
}

} // namespace

void note_runtime_of_main(std::uint64_t generation) noexcept {
  static constinit bool has_key = false; // the core's lock guards it
  static pthread_key_t key;
  if (sys::gettid() != sys::getpid()) return;
  if (!has_key) has_key = sys::make_thread_end_key(key, &main_has_left) == 0;
  if (has_key && sys::set_at_thread_end(key, &of_main) == 0)
    of_main.store(generation, std::memory_order_relaxed);
}

} // namespace lastcall::detail
