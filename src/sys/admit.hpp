// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string_view>

namespace lastcall::sys {

/// The system calls of the library, by name.
enum class call : std::uint8_t {
  rt_sigaction,
  rt_sigqueueinfo,
  tgkill,
  poll,
  write,
  futex_wait,
  futex_wake,
  thread_create,
  thread_join,
  eventfd,
  read,
  close,
  membarrier,
  fcntl,
  send,
  thread_key,
  at_fork,
  mmap,
  madvise,
  openat,
  getdents,
  clone,
  ptrace,
  lseek,
  fork,
  execve,
  waitid,
  pidfd_open,
  pidfd_send_signal,
  prctl,
  dup,
  chdir,
  setsid,
  setpgid,
  prlimit,
  socketpair,
  sendmsg,
  recvmsg,
  pipe,
  rt_sigtimedwait,
  tcsetpgrp,
  mkdir,
  rmdir,
  signalfd,
  count_ ///< how many there are
};

/// The call's name as its manual page has it, for error messages.
std::string_view name_of(call which) noexcept;

/// Every function of this module asks here before it enters the kernel: 0 lets it pass, an errno makes
/// it fail with that error without having been made.
///
/// The library's definition always says 0. It is alone in its object file of the static archive, so a
/// test that defines the function itself gets its own (the link-time twin) and can make the N-th call
/// fail; nothing of that is in the way of a normal program but one call of an empty function.
/// Signals: called from handlers; a twin must be async-signal-safe too.
int admit(call which) noexcept;

} // namespace lastcall::sys
