// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "stream/output_stream.hpp"
#include "stream/read_buffer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace lastcall::detail {

/// A file with one position, read and written: an output stream that also has bytes which were read ahead.
///
/// At most one of the two buffers has something in it. A read first writes what is buffered; a record first
/// seeks back over what was read ahead (`has_read_ahead` leads it off the fast way). Both are under the lock
/// of the current core. A thread that last words have passed by may still be at what was read ahead: then
/// nobody else touches it (`stuck`).
class file_stream final : public output_stream {
public:
  file_stream(raw_fd fd, const stream_options& options);

  std::size_t read(void* into, std::size_t size, std::error_code* error);
  bool read_until(char delimiter, std::string& into, std::error_code* error);
  std::uint64_t seek(std::int64_t offset, sys::seek_from from, std::error_code* error);
  std::uint64_t tell(std::error_code* error);

  void begin_in_child() noexcept override;

private:
  template <class Step>
  bool run_reading(Step step, const char* what, std::error_code* error);
  result look_back(write_core& core) noexcept override;
  void mark(write_core& core) const noexcept;

  read_buffer ahead_;
};

} // namespace lastcall::detail
