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
#include <string_view>
#include <system_error>

namespace lastcall {

namespace detail {
class file_stream;
}

/// Where `buffered_file::seek` counts from.
enum class seek_origin : std::uint8_t { start, here, end };

/// A file that is read and written at one position, with what `buffered_writer` promises of its records.
///
///     lastcall::buffered_file journal{lastcall::raw_fd::own(io::open("journal", O_RDWR | O_CREAT, 0644))};
///     for (std::string entry; journal.read_line(entry);) replay(entry);
///     journal.write("opened\n");                   // behind the last one
///
/// Reading after writing flushes; writing after reading goes on where the reader was, not where the buffer
/// had read ahead. A pair of descriptors that do not share a position is a `buffered_duplex`.
///
/// Threads, Signals, Stop, Errors, Lifetime: as `buffered_writer` and `buffered_reader`; each call is whole.
/// The
///   constructor throws stream_error where there is no position (a pipe, a socket, a terminal).
class buffered_file {
public:
  explicit buffered_file(raw_fd fd, const stream_options& options = {});
  ~buffered_file();
  buffered_file(const buffered_file&) = delete;
  buffered_file& operator=(const buffered_file&) = delete;

  std::size_t write(std::string_view record);
  std::size_t write(std::string_view record, std::error_code& error) noexcept;

  std::size_t read(std::span<char> into);
  std::size_t read(std::span<char> into, std::error_code& error) noexcept;
  /// Without memory for the line it is an error, std::errc::not_enough_memory; the line is still to be read.
  bool read_line(std::string& line);
  bool read_line(std::string& line, std::error_code& error) noexcept;

  /// Moves the position: the new one, in bytes from the start.
  std::uint64_t seek(std::int64_t offset, seek_origin from = seek_origin::start);
  std::uint64_t seek(std::int64_t offset, seek_origin from, std::error_code& error) noexcept;
  /// Where the next byte is read or written.
  std::uint64_t tell();
  std::uint64_t tell(std::error_code& error) noexcept;

  void flush();
  void flush(std::error_code& error) noexcept;
  void close();
  void close(std::error_code& error) noexcept;

  std::error_code error() const noexcept;
  void clear_error() noexcept;
  stream_counts counts() const noexcept; ///< of what was written
  const std::string& name() const noexcept;
  int fd() const noexcept;

private:
  detail::file_stream* stream_;
};

} // namespace lastcall
