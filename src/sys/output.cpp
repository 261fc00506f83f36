// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/output.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace lastcall::sys {

int poll_writable(int fd, int timeout_ms) noexcept {
  if (const int refused = admit(call::poll)) return -refused;
  pollfd what{fd, POLLOUT, 0};
  const int result = ::poll(&what, 1, timeout_ms);
  return result < 0 ? -errno : result;
}

ssize_t write(int fd, const void* from, std::size_t size) noexcept {
  if (const int refused = admit(call::write)) return -refused;
  const ssize_t result = ::write(fd, from, size);
  return result < 0 ? -errno : result;
}

} // namespace lastcall::sys
