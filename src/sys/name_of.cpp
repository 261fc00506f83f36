// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/admit.hpp"

#include <array>

namespace lastcall::sys {

std::string_view name_of(call which) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(call::count_)> names{
      "sigaction",
      "rt_tgsigqueueinfo",
      "tgkill",
      "poll",
      "write",
      "futex",
      "futex",
      "pthread_create",
      "pthread_join",
      "eventfd",
      "read",
      "close",
      "membarrier",
      "fcntl",
      "send",
      "pthread_key_create",
      "pthread_atfork",
      "mmap",
      "madvise",
      "openat",
      "getdents64",
      "clone",
      "ptrace",
      "lseek",
      "fork",
      "execve",
      "waitid",
      "pidfd_open",
      "pidfd_send_signal",
      "prctl",
      "dup3",
      "chdir",
      "setsid",
      "setpgid",
      "prlimit",
      "socketpair",
      "sendmsg",
      "recvmsg",
      "pipe",
      "rt_sigtimedwait",
      "tcsetpgrp",
      "mkdir",
      "rmdir",
      "signalfd"};
  return names[static_cast<std::size_t>(which)];
}

} // namespace lastcall::sys
