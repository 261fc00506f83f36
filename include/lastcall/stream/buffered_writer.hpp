// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/stream/stream_error.hpp>
#include <lastcall/stream/stream_options.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace lastcall {

namespace detail {
class output_stream;
}

/// Records for a descriptor, from many threads, none of which is lost silently at the end.
///
/// A buffer, a lock and a descriptor are easy until the program ends: a thread is stopped with the lock in
/// its hand, the buffer is destroyed under those who write, or nobody flushes it, and the exit status says
/// success. Here what `write` has accepted reaches the descriptor, or is counted as lost or uncertain in the
/// finalization's report and in the exit status.
///
///     lastcall::buffered_writer log{lastcall::raw_fd::own(fd), {.name = "access log"}};
///     log.write("GET /\n");       // whole or not at all, and never between the bytes of another thread's
///     log.flush();
///
/// A record is what one call of `write` is given. One that fits the buffer is accepted whole. A larger one is
/// written past it under the lock; what a request or the end leaves of it goes into the buffer if it fits,
/// otherwise the call returns how many bytes were accepted, fewer than given.
///
/// At the end (of a runtime, or of a process without one) the lock is waited for up to a grace; then what was
/// accepted is written past its holder: docs/streams.md. Afterwards, until the next runtime begins, each
/// record is written at once.
///
/// Threads: any number, also those of no runtime. A call from inside a call on the same thread is
///   stream_errc::reentered.
/// Signals: not from a handler. One that does so nevertheless while its thread is in a call of the same
///   stream gets `reentered`.
/// Stop: calls that wait, for the lock or for the descriptor, end at a request of their owner's and at the
///   end of their thread's runtime; nothing is repeated or lost by that: a record that was not accepted is
///   given again, one that was is flushed later. A `write` that only fills the buffer delivers nothing.
/// Errors: the functions without `error` throw `stream_error`, `interrupted`, `runtime_ended`; those with it
///   report the first two. An error of the descriptor's is kept: see stream_error. SIGPIPE is not raised.
/// Lifetime: destroyed, it flushes and closes as `close` does, but is cut by no request. It waits for the
///   descriptor within the budget of the runtime that is live or was last (`runtime_options::budget`), and
///   for a lock up to its `stream_grace`; what is left is lost, and said. Nobody may be in a call then. Where
///   a thread was left behind inside, its memory and descriptor stay.
class buffered_writer {
public:
  explicit buffered_writer(raw_fd fd, const stream_options& options = {});
  ~buffered_writer();
  buffered_writer(const buffered_writer&) = delete;
  buffered_writer& operator=(const buffered_writer&) = delete;

  /// How many bytes of the record were accepted.
  std::size_t write(std::string_view record);
  std::size_t write(std::string_view record, std::error_code& error) noexcept;
  std::size_t write(std::span<const std::byte> record);
  std::size_t write(std::span<const std::byte> record, std::error_code& error) noexcept;

  /// Gives all that was accepted before to the descriptor.
  void flush();
  void flush(std::error_code& error) noexcept;

  /// Flushes and closes: a borrowed descriptor stays open. With an error of the descriptor's it is closed,
  /// too, and what could not be written is lost; cut by a request it is still open. Twice is once.
  void close();
  void close(std::error_code& error) noexcept;

  /// What the descriptor said first, if anything.
  std::error_code error() const noexcept;
  /// Says that the error is known: the next call tries to write what is buffered.
  void clear_error() noexcept;
  stream_counts counts() const noexcept;
  const std::string& name() const noexcept;
  /// The descriptor's number, -1 once it is closed.
  int fd() const noexcept;

private:
  friend class output_buffer;
  friend class record;
  detail::output_stream* stream_;
};

} // namespace lastcall
