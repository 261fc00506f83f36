// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace lastcall {

/// Bytes on their way to another process. As std::vector<std::byte>, but what is grown is not cleared first,
/// which for tens of megabytes takes as long as sending them.
class byte_buffer {
public:
  byte_buffer() noexcept = default;
  ~byte_buffer() { std::free(bytes_); }
  byte_buffer(byte_buffer&& other) noexcept
      : bytes_{std::exchange(other.bytes_, nullptr)},
        size_{std::exchange(other.size_, 0)},
        capacity_{std::exchange(other.capacity_, 0)} {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  std::size_t size() const noexcept { return size_; }
  std::byte* data() noexcept { return bytes_; }
  std::span<const std::byte> view() const noexcept { return {bytes_, size_}; }
  void clear() noexcept { size_ = 0; }

  /// That many more, not initialized; where they begin. Throws std::bad_alloc.
  std::byte* grow(std::size_t by) {
    if (by > capacity_ - size_) make_room(by);
    std::byte* const at = bytes_ + size_;
    size_ += by;
    return at;
  }
  void append(const void* from, std::size_t size) {
    if (size > 0) std::memcpy(grow(size), from, size);
  }

private:
  void make_room(std::size_t by) {
    constexpr std::size_t first = 128;
    if (by > static_cast<std::size_t>(-1) / 4 - size_) throw std::bad_alloc{};
    std::size_t wanted = size_ + by;
    if (wanted < 2 * capacity_) wanted = 2 * capacity_;
    if (wanted < first) wanted = first;
    void* const larger = std::realloc(bytes_, wanted);
    if (larger == nullptr) throw std::bad_alloc{};
    bytes_ = static_cast<std::byte*>(larger);
    capacity_ = wanted;
  }

  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace lastcall
