// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/checkpoint.hpp>

#include "runtime/touch.hpp"
#include "stream/output_stream.hpp"
#include "wait/lock_around_waits.hpp"

namespace lastcall::detail {

/// A step under the lock, again and again until it is over. What has cut it is delivered without the lock: a
/// step throws nothing, runs no code of a user's and never parks the thread.
template <class Step>
output_stream::result output_stream::run(Step step, std::error_code* error) {
  if (error != nullptr) error->clear();
  sit_down();
  for (;;) {
    error == nullptr ? touch() : touch_noexcept();
    result how = result::done;
    {
      wait::lock_set_aside aside;
      write_core* core = take_current(error);
      if (core == nullptr) return result::cut;
      if (core->is(unbuffered) && !write_through())
        core->mode.fetch_and(~std::uint32_t{unbuffered}, std::memory_order_relaxed);
      how = core->is(closed) ? result::closed : core->is(failed) ? result::failed : step(*core);
      core->lock.unlock();
      if (error == nullptr) aside.take_back();
    }
    if (how == result::cut) {
      error == nullptr ? checkpoint() : checkpoint(*error);
      if (error != nullptr && *error) return result::cut;
    } else if (how != result::again) {
      return how;
    }
  }
}

} // namespace lastcall::detail
