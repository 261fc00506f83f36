// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/read_buffer.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace lastcall::detail {

bool read_buffer::make_room() noexcept {
  if (begin_ == end_) clear();
  if (end_ < capacity_) return true;
  if (begin_ >= capacity_ / 2 && begin_ != 0) {
    std::memmove(memory_.get(), data(), size());
  } else {
    const std::size_t wanted = std::max(usual_, 2 * capacity_);
    std::unique_ptr<char[]> larger{new (std::nothrow) char[wanted]};
    if (!larger) return false;
    if (size() != 0) std::memcpy(larger.get(), data(), size());
    memory_ = std::move(larger);
    capacity_ = wanted;
  }
  searched_ -= std::min(searched_, begin_);
  end_ -= begin_;
  begin_ = 0;
  return true;
}

long read_buffer::fill(int fd) noexcept {
  if (!make_room()) return -ENOMEM;
  const long count = read_some(fd, memory_.get() + end_, capacity_ - end_);
  if (count > 0) end_ += static_cast<std::size_t>(count);
  return count;
}

} // namespace lastcall::detail
