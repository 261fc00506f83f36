// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/stream_calls.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

/// Reads and writes as streams make them while they hold their lock: nothing is thrown, nothing of a user's
/// runs, no thread is parked. Whoever calls them delivers afterwards what has ended them.
namespace lastcall::detail {

/// What may end a call that waits.
enum class cut_by : std::uint8_t {
  requests, ///< what would have been delivered or run by a checkpoint, and the end of this thread's runtime
  nobody
};

/// Makes this thread one that can be asked to leave such a call. One that has no seat cannot: it is waited
/// for, and left behind, like one that does not answer. To be called before `write_core::enter`.
void sit_down() noexcept;

/// Whether some last words are asking this thread already, as a bit to be ignored: in a handler that has
/// interrupted a write and writes to another stream. To be called before `write_core::enter`.
std::uint32_t asked_already() noexcept;

/// writev(2): how many bytes, or minus an errno, or wait::cancelled when something has ended it before the
/// first byte; last words always do, unless `ignored` has their bit. EINTR and, on a non-blocking descriptor,
/// EAGAIN are waited out. No SIGPIPE.
long write_pieces(int fd, std::span<const sys::piece> from, cut_by by, std::uint32_t ignored) noexcept;

/// read(2), likewise.
long read_some(int fd, void* into, std::size_t size, cut_by by) noexcept;

} // namespace lastcall::detail
