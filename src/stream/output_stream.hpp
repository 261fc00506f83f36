// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/stream/stream_error.hpp>
#include <lastcall/stream/stream_options.hpp>

#include "runtime/last_words.hpp"
#include "stream/kernel_call.hpp"
#include "stream/thread_id.hpp"
#include "stream/write_core.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lastcall::detail {

/// A descriptor that is written through a buffer, by many threads: behind every writer.
///
/// It has two cores. One is current; when last words have to take it from a holder that does not come back,
/// the other takes its place, and the first may be used again once that holder has left it. Where both are
/// taken, or the holder is inside the kernel's write, there is none: calls are refused (`stuck`).
///
/// Under a core's lock nothing is thrown, no code of a user's runs and no thread is parked; so it is held for
/// ever only by a thread that something else has stopped. The big lock is set aside first, and taken back
/// after.
///
/// The functions with an `error` throw where it is null, and do not throw where it is not.
class output_stream : public last_words {
public:
  output_stream(raw_fd fd, const stream_options& options);
  /// Only once `finish` has returned true.
  virtual ~output_stream() = default;

  /// How many bytes were accepted: all, unless a record that is larger than the buffer was cut.
  std::size_t write(const void* from, std::size_t size, std::error_code* error) {
    write_core& core = *current_.load(std::memory_order_acquire); // pairs with the release in take_over
    const std::uint32_t me = known_thread_id;
    if (me != 0 && (here().due.load(std::memory_order_relaxed) & runtime_over) == 0 && core.lock.try_lock(me))
        [[likely]] {
      // Nothing is in no room, too.
      const bool done = core.mode.load(std::memory_order_relaxed) == 0 && size - 1 < core.room() &&
                        (core.copy_in(from, size), core.commit(size));
      core.lock.unlock();
      if (done) [[likely]] {
        if (error != nullptr && *error) error->clear();
        return size;
      }
    }
    return write_slowly(from, size, error);
  }
  void flush(std::error_code* error);
  /// Flushes and closes. Cut by a request, it is still open; with any other error it is closed.
  void close(std::error_code* error);
  /// The same at the end of the object: as last words do it, within the budget of the runtime; no request
  /// cuts it. False when a thread was left behind inside: then nothing of this object may be freed, nor the
  /// descriptor closed.
  bool finish() noexcept;

  /// For the destructors of what is built on a stream: until the deadline at most, and no request ends them.
  /// `write` says how many bytes were accepted; std::errc::timed_out where time was the reason.
  std::size_t write_by(const hurried_deadline& until, const void* from, std::size_t size,
                       std::error_code& error) noexcept;
  void flush_by(const hurried_deadline& until, std::error_code& error) noexcept;

  std::error_code error() const noexcept;
  /// The error is known, and the stream tries again.
  void clear_error();
  stream_counts counts() const noexcept;
  const std::string& name() const noexcept { return name_; }
  int fd() const noexcept { return fd_.number(); }

  void say(last_words_round& round) noexcept override;
  void before_fork() noexcept override;
  void begin_in_child() noexcept override;

protected:
  enum class result : std::uint8_t {
    done,
    again,  ///< last words have taken the core; nothing was accepted
    cut,    ///< something is to be delivered first; nothing was accepted
    failed, ///< the descriptor says so: see `error`
    stuck,  ///< what is needed is in the hands of a thread that was left behind
    late,   ///< the deadline has passed
    closed
  };

  /// Steps under the lock, without what a step may not do: until one is over. See output_run.hpp.
  template <class Step>
  result run(Step step, std::error_code* error);
  /// What a step that was not done says to the caller.
  void refuse(std::error_code* error, result how, const char* what, std::size_t accepted = 0) const;
  void refuse(std::error_code* error, std::error_code why, const char* what, std::size_t accepted = 0) const;
  /// `until` is null where it takes as long as it takes, and ends at a request.
  result drain(write_core& core, const hurried_deadline* until = nullptr) noexcept;
  result fail(write_core& core, long error) noexcept;
  /// Whether a thread that last words have passed by or left behind still holds the other core.
  bool other_is_held(const write_core& than) const noexcept;
  /// Before a record, where `has_read_ahead` is set: the position is where the reader is.
  virtual result look_back(write_core&) noexcept { return result::done; }

private:
  std::size_t write_slowly(const void* from, std::size_t size, std::error_code* error);
  write_core* take_current(std::error_code* error);
  template <class Step>
  result run_by(const hurried_deadline& until, Step step, std::error_code& error) noexcept;

  // With the lock.
  result put(write_core& core, sys::piece record, std::size_t& accepted,
             const hurried_deadline* until) noexcept;
  result put_past(write_core& core, sys::piece record, std::size_t& accepted,
                  const hurried_deadline* until) noexcept;
  result drain_once(write_core& core, const hurried_deadline* until) noexcept;
  long give(std::span<const sys::piece> all, const hurried_deadline* until, std::uint32_t ignored) noexcept;
  long give_without_waiting(write_core& core, std::span<const sys::piece> all,
                            std::uint32_t ignored) noexcept;
  std::uint64_t give_up_rest(write_core& core, std::uint64_t to) noexcept;
  void close_core(write_core& core) noexcept;

  // Last words.
  bool holder_is_gone(const write_core& core) const noexcept;
  write_core* say_and_stay(last_words_round& round) noexcept;
  void close_beside_a_round(const hurried_deadline& until) noexcept;
  void speak(write_core& core, last_words_round& round) noexcept;
  write_core* take_over(write_core& core, last_words_round& round) noexcept;
  write_core* other_core(const write_core& than) noexcept;
  void write_bounded(write_core& core, std::uint64_t to, const hurried_deadline& until) noexcept;
  void tell(last_words_round& round, std::uint32_t holder, std::uint64_t lost,
            std::uint64_t uncertain) noexcept;
  [[noreturn]] void fatal(const write_core& core) const noexcept;

  std::array<write_core, 2> cores_;
  std::atomic<write_core*> current_{cores_.data()};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<int> error_{0}; ///< an errno
  bool told_ = false;         ///< the error was reported as lost output; with the lock
  const std::size_t buffer_;
  const std::string name_;
  raw_fd fd_;
};

} // namespace lastcall::detail
