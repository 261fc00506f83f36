// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

/// Directories and files by their paths. As in calls.hpp: a result that is not negative, or minus an errno.
namespace lastcall::sys {

/// mkdir(2) and rmdir(2).
int make_directory(const char* path) noexcept;
int remove_directory(const char* path) noexcept;

/// A file that is there: its descriptor, close-on-exec.
enum class open_for : std::uint8_t { reading, writing, both };
int open_path(const char* path, open_for what) noexcept;

/// pread(2).
ssize_t read_at(int fd, void* into, std::size_t size, std::int64_t from) noexcept;

} // namespace lastcall::sys
