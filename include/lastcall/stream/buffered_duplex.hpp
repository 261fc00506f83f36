// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/buffered_reader.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace lastcall {

/// The two directions of a conversation: a reader and a writer that do not share a position, over one
/// descriptor (a socket, a terminal) or two (a pair of pipes).
///
///     lastcall::buffered_duplex peer{lastcall::raw_fd::own(socket)};
///     peer.writer().write("PING\n");
///     peer.writer().flush();                        // reading flushes nothing
///     std::string answer;
///     peer.reader().read_line(answer);
///
/// Threads: one may wait in a read while another writes: each direction has its lock.
class buffered_duplex {
public:
  explicit buffered_duplex(raw_fd both, const stream_options& options = {})
      : reader_{raw_fd::borrow(both.number()), options}, writer_{std::move(both), options} {}
  buffered_duplex(raw_fd from, raw_fd to, const stream_options& options = {})
      : reader_{std::move(from), options}, writer_{std::move(to), options} {}

  buffered_reader& reader() noexcept { return reader_; }
  buffered_writer& writer() noexcept { return writer_; }

  /// Flushes and closes both directions. Waits for a read that is under way on another thread.
  void close() {
    writer_.close();
    reader_.close();
  }
  void close(std::error_code& error) noexcept {
    writer_.close(error);
    std::error_code of_reader;
    reader_.close(of_reader);
    if (!error) error = of_reader;
  }

private:
  buffered_reader reader_;
  buffered_writer writer_;
};

} // namespace lastcall
