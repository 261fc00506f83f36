// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>

#include <optional>
#include <stop_token>
#include <system_error>

/// Files that may keep one waiting. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// open(2), which waits where the file is a FIFO without its other end, or a lease has to be broken. A
/// descriptor that was opened is returned.
int open(const char* path, int flags, unsigned mode);
int open(const char* path, int flags, unsigned mode, std::error_code& error) noexcept;
std::optional<int> open(const char* path, int flags, unsigned mode, const std::stop_token& stop);
int open(const char* path, int flags, unsigned mode, const std::stop_token& stop,
         std::error_code& error) noexcept;

/// flock(2). A lock that was taken is held on return.
void flock(int fd, int operation);
void flock(int fd, int operation, std::error_code& error) noexcept;
bool flock(int fd, int operation, const std::stop_token& stop);
void flock(int fd, int operation, const std::stop_token& stop, std::error_code& error) noexcept;

} // namespace lastcall::io
