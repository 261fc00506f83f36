// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/stream/stream_error.hpp>
#include <lastcall/stream/stream_options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

namespace lastcall {

namespace detail {
class input_stream;
}

/// Bytes and lines from a descriptor, for many threads, and in nobody's way at the end.
///
/// A thread that reads a terminal can hold up a whole program: nobody can end that read, and whoever wants
/// the lock of the stream waits for it. Here a request ends the read of the thread that it concerns, the end
/// of the runtime ends that of a daemon, and what had come already is still there for the next reader.
///
///     lastcall::buffered_reader words{lastcall::raw_fd::own(fd), {.name = "words"}};
///     for (std::string word; words.read_line(word);) count(word);
///
/// Threads: any number; each call is whole: no line is split between two threads. A call from inside a call
/// on
///   the same thread is stream_errc::reentered.
/// Signals: not from a handler.
/// Stop: a call that waits ends at a request of its owner's and at the end of its thread's runtime. Nothing
/// is
///   lost by that: a line that is not whole yet stays in the buffer, which grows for it.
/// Errors: the functions without `error` throw `stream_error`, `interrupted`, `runtime_ended`; those with it
///   report the first two. Both throw std::bad_alloc where a line cannot be kept; it is still to be read
///   then.
/// Lifetime: nobody may be in a call when it is destroyed. A forked child has nothing of what was read ahead:
///   that is its parent's.
class buffered_reader {
public:
  explicit buffered_reader(raw_fd fd, const stream_options& options = {});
  ~buffered_reader();
  buffered_reader(const buffered_reader&) = delete;
  buffered_reader& operator=(const buffered_reader&) = delete;

  /// What is there, up to the size of `into`, at least one byte unless that is empty; 0 at the end. Waits
  /// while nothing is there.
  std::size_t read(std::span<std::byte> into);
  std::size_t read(std::span<std::byte> into, std::error_code& error) noexcept;
  std::size_t read(std::span<char> into);
  std::size_t read(std::span<char> into, std::error_code& error) noexcept;

  /// The next line, without its end; false when there is none. The last one need not have an end.
  bool read_line(std::string& line);
  bool read_line(std::string& line, std::error_code& error);
  /// The same with another delimiter.
  bool read_until(char delimiter, std::string& into);
  bool read_until(char delimiter, std::string& into, std::error_code& error);

  /// Closes; a borrowed descriptor stays open. What was read ahead is dropped. Waits for a call that is under
  /// way on another thread.
  void close();
  void close(std::error_code& error) noexcept;

  const std::string& name() const noexcept;
  int fd() const noexcept;

private:
  detail::input_stream* stream_;
};

} // namespace lastcall
