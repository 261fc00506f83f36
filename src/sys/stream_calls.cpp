// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/stream_calls.hpp"

#include "sys/calls.hpp"

#include <array>
#include <cerrno>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace lastcall::sys {

static_assert(sizeof(piece) == sizeof(::iovec) && offsetof(piece, at) == offsetof(::iovec, iov_base) &&
              offsetof(piece, size) == offsetof(::iovec, iov_len));

static_assert(sizeof(awaited) == sizeof(::pollfd) &&
              offsetof(awaited, wanted) == offsetof(::pollfd, events) &&
              offsetof(awaited, found) == offsetof(::pollfd, revents));

const short readable = POLLIN;
const short writable = POLLOUT;
const short changed = POLLPRI;

namespace {

constexpr std::uint64_t sigpipe = std::uint64_t{1} << (SIGPIPE - 1);

ssize_t result_of(ssize_t result) noexcept { return result < 0 ? -errno : result; }

} // namespace

no_sigpipe::no_sigpipe() noexcept {
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &sigpipe, &before_, sizeof before_);
  was_pending_ = (before_ & sigpipe) != 0 && is_pending(SIGPIPE); // not blocked, it cannot have been
}

no_sigpipe::~no_sigpipe() {
  if (cut_short_ && !was_pending_) take_pending(SIGPIPE);
  if ((before_ & sigpipe) == 0) ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
}

ssize_t write_without_waiting(int fd, const descriptor_kind& kind, const void* from,
                              std::size_t size) noexcept {
  if (const int refused = admit(call::write)) return -refused;
  if (kind.socket) return result_of(::send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL));
#if defined(RWF_NOWAIT)
  if (kind.pipe) {
    const ::iovec all{const_cast<void*>(from), size}; // it is only read
    const ssize_t result = result_of(::pwritev2(fd, &all, 1, -1, RWF_NOWAIT));
    if (result != -EOPNOTSUPP && result != -ENOSYS && result != -ESPIPE) return result;
  }
#endif
  return result_of(::write(fd, from, size));
}

bool is_terminal(int fd) noexcept {
  const int kept = errno;
  const bool terminal = ::isatty(fd) == 1;
  errno = kept;
  return terminal;
}

std::int64_t seek(int fd, std::int64_t offset, seek_from from) noexcept {
  static constexpr std::array whence{SEEK_SET, SEEK_CUR, SEEK_END};
  if (const int refused = admit(call::lseek)) return -refused;
  return result_of(::lseek(fd, offset, whence[static_cast<std::size_t>(from)]));
}

} // namespace lastcall::sys
