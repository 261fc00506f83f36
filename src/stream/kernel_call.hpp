// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/hurried_deadline.hpp"
#include "sys/number_descriptor.hpp"
#include "sys/stream_calls.hpp"
#include "wait/interruptible_call.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

/// Reads and writes as streams make them while they hold their lock: nothing is thrown, nothing of a user's
/// runs, no thread is parked. Whoever calls them delivers afterwards what has ended them.
///
/// Those that wait as long as it takes are ended by what would have been delivered or run by a checkpoint,
/// and by the end of this thread's runtime. Those with a deadline (in destructors, at the end) are not.
namespace lastcall::detail {

/// Makes this thread one that can be asked to leave such a call. One that has no seat cannot: it is waited
/// for, and left behind, like one that does not answer. To be called before `write_core::enter`.
void sit_down() noexcept;

/// Whether some last words are asking this thread already, as a bit to be ignored: in a handler that has
/// interrupted a write and writes to another stream. To be called before `write_core::enter`.
std::uint32_t asked_already() noexcept;

/// writev(2): how many bytes, or minus an errno, or wait::cancelled when something has ended it before the
/// first byte; last words always do, unless `ignored` has their bit. EINTR and, on a non-blocking descriptor,
/// EAGAIN are waited out. No SIGPIPE.
long write_pieces(int fd, std::span<const sys::piece> from, std::uint32_t ignored) noexcept;

/// read(2), likewise.
long read_some(int fd, void* into, std::size_t size) noexcept;

/// Writes to a descriptor that may not take anything any more: a pipe whose reader has stopped, a terminal
/// after Ctrl-S.
///
/// No write is begun before poll says that it can be done, and a pipe is given PIPE_BUF bytes at most, for
/// which it has room when it polls as writable; where the kernel can be told not to wait, it is told so. What
/// is left is a descriptor that somebody else fills between the two: then this write waits like any other.
class bounded_writes {
public:
  explicit bounded_writes(int fd) noexcept;
  /// A part of the first piece that is not empty: how many bytes, or minus an errno, or `too_late`; or
  /// wait::cancelled when last words have asked for it, unless `ignored` has their bit.
  long write(std::span<const sys::piece> from, const hurried_deadline& until, std::uint32_t ignored) noexcept;

  static constexpr long too_late = wait::cancelled + 1;

private:
  /// 1 when it can be done, or the write will say why not; else what `write` returns.
  long until_writable(const hurried_deadline& until, std::uint32_t mask) const noexcept;

  int fd_;
  std::size_t most_;
  sys::descriptor_kind kind_;
  sys::no_sigpipe quiet_;
};

} // namespace lastcall::detail
