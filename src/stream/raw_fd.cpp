// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/raw_fd.hpp>

#include "sys/number_descriptor.hpp"

#include <cerrno>

namespace lastcall {

raw_fd& raw_fd::operator=(raw_fd&& other) noexcept {
  if (this != &other) {
    std::error_code unheard;
    close(unheard);
    fd_ = std::exchange(other.fd_, -1);
    owned_ = std::exchange(other.owned_, false);
  }
  return *this;
}

raw_fd::~raw_fd() {
  std::error_code unheard;
  close(unheard);
}

int raw_fd::release() noexcept {
  owned_ = false;
  return std::exchange(fd_, -1);
}

void raw_fd::close(std::error_code& error) noexcept {
  error.clear();
  const int fd = std::exchange(fd_, -1);
  if (fd < 0 || !std::exchange(owned_, false)) return;
  // Linux has let the number go also where it says EINTR: a second close could hit somebody else's.
  if (const int result = sys::close_descriptor(fd); result < 0 && result != -EINTR)
    error.assign(-result, std::system_category());
}

} // namespace lastcall
