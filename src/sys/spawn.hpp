// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

namespace lastcall::sys {

/// A descriptor that the new program gets: `from` of ours, as its `to`.
struct handed_fd {
  int from = -1;
  int to = -1;
};

/// A limit of a resource (RLIMIT_NOFILE and its like).
struct resource_limit {
  int resource = 0;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// All that happens between the beginning of a process and its program, in this order.
struct spawning {
  const char* const* paths = nullptr; ///< files to try, up to a null pointer
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* directory = nullptr; ///< null: ours
  const handed_fd* fds = nullptr;  ///< no two with the same `to`; others are as their close-on-exec says
  int* spare = nullptr;            ///< room for as many numbers as there are `fds`
  std::size_t fd_count = 0;
  const resource_limit* limits = nullptr;
  std::size_t limit_count = 0;
  bool new_session = false;
  pid_t group = -1; ///< -1: ours; 0: one of its own; otherwise that one
  int parent_death_signal = 0;
  pid_t parent = 0;  ///< who must still be the parent once that is armed
  int entrance = -1; ///< the file by which it enters a cgroup; -1: it stays in ours

  // What became of it.
  int pidfd = -1;
  call failed{};      ///< where `error` is not 0
  int error = 0;      ///< an errno
  int failed_at = -1; ///< the index of the descriptor or limit that it was about
};

/// Makes a process that becomes another program: the child's number, or minus an errno, with `failed` naming
/// the call. The child has no signals blocked and all of them at their default, whatever this process does.
///
/// As vfork(2): the child runs in this process's memory, on a stack of its own, while the calling thread
/// waits; so it costs the same however large the process is, and an error is handed over in memory. No fork
/// handlers run. Other threads go on. See the essay in spawn.cpp.
pid_t spawn(spawning& what) noexcept;

/// What the child does; in a file without sanitizers. Returns the status to end with.
int run_spawned(void* what) noexcept;

} // namespace lastcall::sys
