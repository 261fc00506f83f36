// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/output_stream.hpp"

#include "stream/output_run.hpp"
#include "wait/interruptible_call.hpp"
#include "wait/lock_around_waits.hpp"
#include "wait/raw_futex.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace lastcall::detail {

output_stream::output_stream(raw_fd fd, const stream_options& options)
    : buffer_{std::clamp(options.buffer, std::size_t{1}, std::size_t{1} << 30U)},
      name_{options.name},
      fd_{std::move(fd)} {
  const bool lines = options.flush == flush_mode::line ||
                     (options.flush == flush_mode::automatic && sys::is_terminal(fd_.number()));
  cores_[0].begin_at(0, (lines ? by_line : 0U) | (write_through() ? unbuffered : 0U));
  enlist();
}

std::error_code output_stream::error() const noexcept {
  return {error_.load(std::memory_order_relaxed), std::system_category()};
}

stream_counts output_stream::counts() const noexcept {
  const write_core& core = *current_.load(std::memory_order_acquire);
  const std::uint64_t flushed = core.flushed(); // first: it never overtakes the other
  const std::uint64_t accepted = core.committed();
  const std::uint64_t lost = std::min(lost_.load(std::memory_order_relaxed), flushed);
  return {accepted, flushed - lost, accepted - flushed, lost};
}

void output_stream::refuse(std::error_code* error, std::error_code why, const char* what,
                           std::size_t accepted) const {
  if (error == nullptr) throw stream_error{why, std::string{what} + " (" + name_ + ")", accepted};
  *error = why;
}

void output_stream::refuse(std::error_code* error, result how, const char* what, std::size_t accepted) const {
  switch (how) {
  case result::failed: refuse(error, this->error(), what, accepted); break;
  case result::closed: refuse(error, stream_errc::closed, what); break;
  case result::stuck: refuse(error, stream_errc::stuck, what); break;
  case result::late: refuse(error, std::make_error_code(std::errc::timed_out), what, accepted); break;
  case result::done:
  case result::again:
  case result::cut: break; // said already, where there is something to say
  }
}

bool output_stream::other_is_held(const write_core& than) const noexcept {
  return cores_[&than == cores_.data() ? 1 : 0].lock.holder() != 0;
}

write_core* output_stream::take_current(std::error_code* error) {
  const std::uint32_t me = this_thread_id();
  for (;;) {
    write_core& core = *current_.load(std::memory_order_acquire); // pairs with the release in take_over
    switch (core.lock.lock(me, error)) {
    case lock_result::held:
      if (!core.is(taken)) return &core;
      if (core.is(abandoned)) { // its holder has let go
        core.repair();
        return &core;
      }
      core.lock.unlock();
      wait::pause(50'000); // last words are about to make another one current
      continue;
    case lock_result::turned_away:
      if (&core != current_.load(std::memory_order_acquire) || !core.is(abandoned)) continue;
      refuse(error, stream_errc::stuck, "lock");
      return nullptr;
    case lock_result::reentered: refuse(error, stream_errc::reentered, "lock"); return nullptr;
    case lock_result::cut:
    case lock_result::late: return nullptr;
    }
  }
}

std::size_t output_stream::write_slowly(const void* from, std::size_t size, std::error_code* error) {
  if (size == 0) {
    if (error != nullptr) error->clear();
    return 0;
  }
  std::size_t accepted = 0;
  refuse(error,
         run(
             [&](write_core& core) noexcept {
               return put(core, {from, size}, accepted, nullptr);
             },
             error),
         "write", accepted);
  return accepted;
}

void output_stream::flush(std::error_code* error) {
  refuse(error, run([&](write_core& core) noexcept { return drain(core); }, error), "flush");
}

void output_stream::clear_error() {
  std::error_code unheard;
  const std::uint32_t me = this_thread_id();
  const wait::lock_set_aside aside;
  write_core& core = *current_.load(std::memory_order_acquire);
  if (core.lock.lock(me, &unheard) != lock_result::held) return;
  error_.store(0, std::memory_order_relaxed);
  told_ = false;
  core.mode.fetch_and(~std::uint32_t{failed}, std::memory_order_relaxed);
  core.lock.unlock();
}

output_stream::result output_stream::fail(write_core& core, long error) noexcept {
  error_.store(static_cast<int>(-error), std::memory_order_relaxed);
  core.mode.fetch_or(failed, std::memory_order_relaxed);
  return result::failed;
}

output_stream::result output_stream::put(write_core& core, sys::piece record, std::size_t& accepted,
                                         const hurried_deadline* until) noexcept {
  const bool through = core.is(unbuffered);
  if (core.is(has_read_ahead))
    if (const result how = look_back(core); how != result::done) return how;
  if (!through && core.capacity() == 0) core.make_ring(buffer_);
  if (through || record.size > core.capacity()) return put_past(core, record, accepted, until);
  while (record.size > core.room())
    if (const result how = drain_once(core, until); how != result::done) return how;
  core.copy_in(record.at, record.size);
  if (!core.commit(record.size)) return result::again;
  accepted = record.size;
  if (!core.is(by_line) || std::memchr(record.at, '\n', record.size) == nullptr) return result::done;
  // The record is accepted whatever comes; a request is delivered by the next call that waits.
  return drain(core, until) == result::failed ? result::failed : result::done;
}

long output_stream::give(std::span<const sys::piece> all, const hurried_deadline* until,
                         std::uint32_t ignored) noexcept {
  return until == nullptr ? write_pieces(fd_.number(), all, ignored)
                          : bounded_writes{fd_.number()}.write(all, *until, ignored);
}

// A request that is due does not keep a record from a descriptor that takes it: as where there is room in the
// buffer, only a wait is ended.
long output_stream::give_without_waiting(write_core& core, std::span<const sys::piece> all,
                                         std::uint32_t ignored) noexcept {
  if (core.is(taken)) return wait::cancelled;
  const long count = bounded_writes{fd_.number()}.write(all, deadline::after(duration::zero()), ignored);
  return count == bounded_writes::too_late ? wait::cancelled : count;
}

// A record that does not fit goes from where it lies, behind what is buffered. Nobody else gets in between:
// it is one stretch under the lock.
output_stream::result output_stream::put_past(write_core& core, sys::piece record, std::size_t& accepted,
                                              const hurried_deadline* until) noexcept {
  const bool through = core.is(unbuffered);
  const auto* at = static_cast<const std::byte*>(record.at);
  while (accepted < record.size) {
    const std::uint64_t end = core.committed();
    const std::size_t rest = record.size - accepted;
    const auto before = core.pending(end);
    const std::size_t buffered = before[0].size + before[1].size;
    const std::array<sys::piece, 3> all =
        before[1].size != 0 ? std::array{before[0], before[1], sys::piece{at + accepted, rest}}
                            : std::array{before[0], sys::piece{at + accepted, rest}, sys::piece{}};
    const std::uint32_t ignored = asked_already();
    if (!core.enter(end + rest)) return accepted == 0 ? result::again : result::done;
    long count = give(all, until, ignored);
    if (through && count == wait::cancelled) count = give_without_waiting(core, all, ignored);
    const std::size_t written = count > 0 ? static_cast<std::size_t>(count) : 0;
    core.note_flushed(std::min(written, buffered));
    const std::size_t passed = written - std::min(written, buffered);
    core.note_passed(passed);
    accepted += passed;
    // Cut in the middle of the record: what is left of it may have room, and it is whole after all. Where
    // nothing may be held back, only last words that are there already would write it.
    const bool over = count == wait::cancelled || count == bounded_writes::too_late;
    const bool kept =
        over && accepted != 0 && record.size - accepted <= core.room() && (!through || core.is(taken));
    const std::uint64_t kept_to = core.committed() + record.size - accepted;
    if (kept) core.keep_rest(at + accepted, record.size - accepted);
    core.leave();
    if (kept && core.still_accepted(kept_to)) accepted = record.size;
    if (kept) return result::done;
    if (count == wait::cancelled)
      return accepted != 0 ? result::done : core.is(taken) ? result::again : result::cut;
    if (count == bounded_writes::too_late) return result::late;
    if (count <= 0) return fail(core, count == 0 ? -EIO : count);
  }
  return result::done;
}

output_stream::result output_stream::drain_once(write_core& core, const hurried_deadline* until) noexcept {
  const std::uint64_t end = core.committed();
  const auto pieces = core.pending(end);
  if (pieces[0].size == 0) return result::done;
  const std::uint32_t ignored = asked_already();
  if (!core.enter(end)) return result::again;
  const long count = give(pieces, until, ignored);
  if (count > 0) core.note_flushed(static_cast<std::size_t>(count));
  core.leave();
  if (count > 0) return result::done;
  if (count == wait::cancelled) return core.is(taken) ? result::again : result::cut;
  if (count == bounded_writes::too_late) return result::late;
  return fail(core, count == 0 ? -EIO : count);
}

output_stream::result output_stream::drain(write_core& core, const hurried_deadline* until) noexcept {
  while (core.committed() != core.flushed())
    if (const result how = drain_once(core, until); how != result::done) return how;
  return result::done;
}

// What is buffered will not be written any more.
std::uint64_t output_stream::give_up_rest(write_core& core, std::uint64_t to) noexcept {
  const std::uint64_t left = to - std::min(to, core.flushed());
  lost_.fetch_add(left, std::memory_order_relaxed);
  core.note_flushed(static_cast<std::size_t>(left));
  return left;
}

// Whoever is told may not listen; that something was lost is in the exit status all the same.
void output_stream::close_core(write_core& core) noexcept {
  const std::uint64_t left = give_up_rest(core, core.committed());
  core.mode.fetch_or(closed, std::memory_order_relaxed);
  std::error_code on_close;
  fd_.close(on_close);
  if (on_close && error_.load(std::memory_order_relaxed) == 0) fail(core, -on_close.value());
  if (left == 0 && (!core.is(failed) || told_)) return;
  told_ = true;
  note_lost_output({.stream = name_, .written = counts().written, .lost = left, .error = error().value()});
}

void output_stream::close(std::error_code* error) {
  const result how = run(
      [&](write_core& core) noexcept {
        const result flushed = drain(core);
        if (flushed != result::done && flushed != result::failed) return flushed;
        close_core(core);
        return core.is(failed) ? result::failed : result::done;
      },
      error);
  if (how == result::failed) { // perhaps long since
    wait::lock_set_aside aside;
    if (write_core* core = take_current(error); core != nullptr) {
      if (!core->is(closed)) close_core(*core);
      core->lock.unlock();
    }
    refuse(error, this->error(), "close");
  }
}

} // namespace lastcall::detail
