// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/event_descriptor.hpp"

#include <cerrno>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace lastcall::sys {

int make_event_descriptor() noexcept {
  if (const int refused = admit(call::eventfd)) return -refused;
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

// Nobody refuses it: the kernel has a place for the number, and one that is full wakes as well.
int raise_event(int fd) noexcept {
  const std::uint64_t once = 1;
  return ::write(fd, &once, sizeof once) < 0 ? -errno : 0;
}

int lower_event(int fd) noexcept {
  if (const int refused = admit(call::read)) return -refused;
  std::uint64_t times = 0;
  return ::read(fd, &times, sizeof times) < 0 ? -errno : 0;
}

int close_event_descriptor(int fd) noexcept {
  const int refused = admit(call::close); // see close_descriptor
  const int error = ::close(fd) < 0 ? errno : 0;
  return refused != 0 ? -refused : -error;
}

} // namespace lastcall::sys
