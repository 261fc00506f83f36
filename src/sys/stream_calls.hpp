// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"
#include "sys/number_descriptor.hpp"

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

/// What streams ask of the kernel beside the interruptible read and write. As in calls.hpp: results are not
/// negative, or minus an errno.
namespace lastcall::sys {

/// A stretch of memory, laid out as the kernel's iovec.
struct piece {
  const void* at = nullptr;
  std::size_t size = 0;
};

/// A descriptor to be waited for, laid out as the kernel's pollfd.
struct awaited {
  int fd = -1;
  short wanted = 0;
  short found = 0;
};
extern const short readable;
extern const short writable;
extern const short changed; ///< a file of the kernel's, since it was read last

/// For as long as it lives a write of this thread raises no SIGPIPE. One that was pending before stays so.
/// The signal of a broken pipe goes to the thread that writes, at once: blocked there it stays pending, and
/// is taken off again. It comes with -EPIPE, and also with the count of a write that was cut short by it.
class no_sigpipe {
public:
  no_sigpipe() noexcept;
  ~no_sigpipe();
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;

  /// After a write that was not whole: one may have been raised.
  void cut_short() noexcept { cut_short_ = true; }

private:
  std::uint64_t before_ = 0;
  bool was_pending_ = false;
  bool cut_short_ = false;
};

/// A write to a descriptor that has polled as writable, without waiting where the kernel has a way to ask for
/// that: sockets, and pipes of a kernel that is new enough. Elsewhere as write(2).
ssize_t write_without_waiting(int fd, const descriptor_kind& kind, const void* from,
                              std::size_t size) noexcept;

/// Whether it is a terminal.
bool is_terminal(int fd) noexcept;

/// lseek(2).
enum class seek_from : std::uint8_t { start, here, end };
std::int64_t seek(int fd, std::int64_t offset, seek_from from) noexcept;

} // namespace lastcall::sys
