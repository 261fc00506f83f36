// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/listed_shields.hpp"

#include <algorithm>

namespace lastcall::detail {

void link(thread_word& word, listed_shield& what) noexcept {
  what.outer = word.listed;
  word.listed = &what;
}

void unlink(thread_word& word, listed_shield& what) noexcept {
  // The innermost, almost always: shields on the heap may end in another order.
  listed_shield** at = &word.listed;
  while (*at != &what) at = &(*at)->outer;
  *at = what.outer;
  // Relaxed, here and below: the lock orders the writers, and a reader without it only wants to be recent.
  if (what.ran_out)
    word.run_out.store(word.run_out.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

bounds let_run_out(thread_word& word, const std::optional<time_point>& pending_since,
                   time_point now) noexcept {
  bounds found;
  for (listed_shield* one = word.listed; one != nullptr; one = one->outer) {
    if (one->ran_out || one->options.bound == duration::max()) continue;
    if (!pending_since) {
      one->waiting = false;
      continue;
    }
    if (!std::exchange(one->waiting, true)) one->since = *pending_since;
    if (now - one->since >= one->options.bound) {
      one->ran_out = true;
      ++found.passed;
      word.run_out.store(word.run_out.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else if (one->options.bound < time_point::max() - one->since) {
      found.next = std::min(found.next, one->since + one->options.bound);
    }
  }
  return found;
}

} // namespace lastcall::detail
