// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>

/// The numbers of the calls that `io` makes, for both processors the same set: the plain `open`, `poll` and
/// `accept` do not exist on arm64.
namespace lastcall::sys::number {

inline constexpr long read = SYS_read;
inline constexpr long readv = SYS_readv;
inline constexpr long write = SYS_write;
inline constexpr long writev = SYS_writev;
inline constexpr long accept4 = SYS_accept4;
inline constexpr long connect = SYS_connect;
inline constexpr long recvfrom = SYS_recvfrom;
inline constexpr long sendto = SYS_sendto;
inline constexpr long ppoll = SYS_ppoll;
inline constexpr long waitid = SYS_waitid;
inline constexpr long flock = SYS_flock;
inline constexpr long openat = SYS_openat;
inline constexpr long futex = SYS_futex;

/// Arguments of theirs: relative paths start here; a wait up to a moment of the monotonic clock, by whoever's
/// wake-up.
inline constexpr int here = AT_FDCWD;
inline constexpr int futex_wait_until = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
inline constexpr unsigned futex_any_waker = FUTEX_BITSET_MATCH_ANY;

} // namespace lastcall::sys::number
