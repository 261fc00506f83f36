// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Writing and flushing within a deadline: for the destructors of what is built on a stream that lives on.
///
/// Such a destructor is not the stream's own last round: other threads use the stream, and last words may
/// come to it at any time. So it is a holder like any other, who shows when it is inside the kernel; only its
/// waits, for the lock and for the descriptor, have an end.

#include "runtime/touch.hpp"
#include "stream/output_stream.hpp"
#include "wait/lock_around_waits.hpp"
#include "wait/raw_futex.hpp"

namespace lastcall::detail {

template <class Step>
output_stream::result output_stream::run_by(const hurried_deadline& until, Step step,
                                            std::error_code& error) noexcept {
  error.clear();
  sit_down();
  touch_noexcept();
  const wait::lock_set_aside aside;
  const std::uint32_t me = this_thread_id();
  for (;;) {
    write_core& core = *current_.load(std::memory_order_acquire); // pairs with the release in take_over
    const lock_result how = core.lock.lock_until(me, until);
    if (how == lock_result::late) return result::late;
    if (how == lock_result::reentered) {
      error = stream_errc::reentered;
      return result::cut;
    }
    if (how == lock_result::turned_away) {
      if (&core == current_.load(std::memory_order_acquire) && core.is(abandoned)) return result::stuck;
      continue;
    }
    if (core.is(taken) && core.is(abandoned)) core.repair(); // its holder has let go
    result what = result::again;
    if (!core.is(taken))
      what = core.is(closed) ? result::closed : core.is(failed) ? result::failed : step(core);
    core.lock.unlock();
    if (what != result::again) return what;
    if (until.expired()) return result::late;
    wait::pause(50'000); // last words are about to make another one current
  }
}

std::size_t output_stream::write_by(const hurried_deadline& until, const void* from, std::size_t size,
                                    std::error_code& error) noexcept {
  std::size_t accepted = 0;
  const result how = run_by(
      until,
      [&](write_core& core) noexcept {
        return put(core, {from, size}, accepted, &until);
      },
      error);
  refuse(&error, how, "write", accepted);
  if (how == result::late || how == result::stuck) // an error of the descriptor's is kept; this is not
    note_lost_output({.stream = name_, .written = counts().written, .lost = size - accepted});
  return accepted;
}

void output_stream::flush_by(const hurried_deadline& until, std::error_code& error) noexcept {
  refuse(&error,
         run_by(
             until, [&](write_core& core) noexcept { return drain(core, &until); }, error),
         "flush");
}

} // namespace lastcall::detail
