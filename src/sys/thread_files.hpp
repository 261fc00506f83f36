// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstddef>

#include <sys/types.h>

/// What /proc shows of this process. As in calls.hpp: a result that is not negative, or minus an errno.
namespace lastcall::sys {

/// The beginning of a small file, at most `size` bytes of it: how many there are.
ssize_t read_file(const char* path, char* into, std::size_t size) noexcept;
/// The same of a file of one thread: "comm", "stat", "wchan", "syscall", "status".
ssize_t read_thread_file(pid_t thread, const char* name, char* into, std::size_t size) noexcept;

/// The ids of this process's threads: how many there are, of which the first `room` are written.
int list_threads(pid_t* into, std::size_t room) noexcept;

} // namespace lastcall::sys
