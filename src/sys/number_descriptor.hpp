// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

/// A descriptor of somebody else's into which a signal handler writes single bytes. As in calls.hpp: results
/// are not negative, or minus an errno.
namespace lastcall::sys {

/// What is to be known of it before a handler may write it.
struct descriptor_kind {
  bool socket = false;
  bool pipe = false; ///< or a FIFO
  bool writable = false;
  bool non_blocking = false;
};
int look_at_descriptor(int fd, descriptor_kind& kind) noexcept;

/// Another number for the same, close-on-exec.
int duplicate_descriptor(int fd) noexcept;
int close_descriptor(int fd) noexcept;

/// One byte. SIGPIPE is not raised, and one that was pending before stays pending. Async-signal-safe.
int write_byte_to_socket(int fd, unsigned char byte) noexcept;
int write_byte_to_pipe(int fd, unsigned char byte) noexcept;

} // namespace lastcall::sys
