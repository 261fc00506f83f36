// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/number_descriptor.hpp"

#include "sys/calls.hpp"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

constexpr std::uint64_t sigpipe = std::uint64_t{1} << (SIGPIPE - 1);

} // namespace

int look_at_descriptor(int fd, descriptor_kind& kind) noexcept {
  if (const int refused = admit(call::fcntl)) return -refused;
  const int flags = ::fcntl(fd, F_GETFL);
  struct ::stat what {};
  if (flags < 0 || ::fstat(fd, &what) < 0) return -errno;
  kind.socket = S_ISSOCK(what.st_mode);
  kind.pipe = S_ISFIFO(what.st_mode);
  kind.writable = (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
  kind.non_blocking = (flags & O_NONBLOCK) != 0;
  return 0;
}

int duplicate_descriptor(int fd) noexcept {
  if (const int refused = admit(call::fcntl)) return -refused;
  const int made = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return made < 0 ? -errno : made;
}

int close_descriptor(int fd) noexcept {
  const int refused =
      admit(call::close); // as by the kernel, which closes it and says that something else went wrong
  // Not by the C library, where a cancelled thread does not come back from it.
  const int error = ::syscall(SYS_close, fd) < 0 ? errno : 0;
  return refused != 0 ? -refused : -error;
}

int write_byte_to_socket(int fd, unsigned char byte) noexcept {
  if (const int refused = admit(call::send)) return -refused;
  return ::send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

// For pipes there is no such flag in kernels of today's age. The signal goes to the thread that writes, at
// once: blocked there it stays pending, and is taken off again. One that was pending before has swallowed it,
// and is left.
int write_byte_to_pipe(int fd, unsigned char byte) noexcept {
  if (const int refused = admit(call::write)) return -refused;
  const std::uint64_t before = signal_mask();
  set_signal_mask(before | sigpipe);
  const bool pending = (before & sigpipe) != 0 && is_pending(SIGPIPE); // not blocked, it cannot have been
  const int result = ::write(fd, &byte, 1) < 0 ? -errno : 0;
  if (result == -EPIPE && !pending) take_pending(SIGPIPE);
  set_signal_mask(before);
  return result;
}

} // namespace lastcall::sys
