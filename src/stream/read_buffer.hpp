// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "stream/find_byte.hpp"
#include "stream/kernel_call.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace lastcall::detail {

/// Bytes that were read and not yet asked for. Whoever uses it holds a lock.
///
/// A line that is not whole yet stays in here, however long it grows, so that a request in the middle of it
/// loses nothing.
class read_buffer {
public:
  explicit read_buffer(std::size_t usual) noexcept : usual_{usual} {}

  std::size_t size() const noexcept { return end_ - begin_; }
  const char* data() const noexcept { return memory_.get() + begin_; }
  std::size_t usual() const noexcept { return usual_; }
  void consume(std::size_t size) noexcept { begin_ += size; }
  void clear() noexcept { begin_ = end_ = searched_ = 0; }

  struct line {
    bool found = false;
    const char* at = nullptr;
    std::size_t size = 0; ///< without the delimiter
  };
  /// The bytes up to the delimiter, where it is there. What was searched before is not searched again.
  line find(char delimiter) noexcept {
    const std::size_t from = searched_ > begin_ && searched_for_ == delimiter ? searched_ : begin_;
    const char* at = find_byte(memory_.get() + from, end_ - from, delimiter);
    if (at == nullptr) {
      searched_ = end_;
      searched_for_ = delimiter;
      return {};
    }
    return {true, data(), static_cast<std::size_t>(at - data())};
  }

  /// Reads more behind what is there: how many bytes, or as `read_some`; -ENOMEM without memory.
  long fill(int fd) noexcept;

private:
  bool make_room() noexcept;

  const std::size_t usual_;
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t searched_ = 0; ///< up to here there is no `searched_for_`
  char searched_for_ = 0;
};

} // namespace lastcall::detail
