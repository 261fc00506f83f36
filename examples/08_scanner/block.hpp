// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

/// A file in pieces that may be searched beside each other, by anybody and in any order.
///
/// A line belongs to the block in which it begins. Who reads a block therefore leaves out what is before its
/// first line's beginning, and reads on to the end of its last line.

/// What a path leads to.
struct looked_at {
  bool regular = false;     ///< has blocks; else it is read from its beginning to its end
  std::uint64_t blocks = 0; ///< of a regular file
};

/// Throws std::system_error that names the file; a directory is one as well.
looked_at look_at(const std::string& file, std::uint64_t block);

/// The lines that begin in the block of that number, whole. Throws std::system_error, and std::runtime_error
/// for a line of more than 16 MiB.
std::string read_block(const std::string& file, std::uint64_t number, std::uint64_t block);

/// Reads what has no blocks: a pipe, a terminal, standard input ("-").
class text_source {
public:
  /// Waits for the other end of a FIFO, until it is asked to stop. Throws std::system_error.
  text_source(const std::string& file, const std::stop_token& stop);
  ~text_source();
  text_source(const text_source&) = delete;
  text_source& operator=(const text_source&) = delete;

  /// Whole lines, of about that many bytes; empty at the end, and when it was asked to stop.
  std::string next(std::uint64_t about, const std::stop_token& stop);

private:
  std::string name_;
  std::string rest_; ///< the beginning of a line whose end has not come yet
  int fd_ = -1;
  bool ended_ = false;
};
