// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <system_error>

struct iovec;

/// Bytes to and from descriptors. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// read(2): what is there, up to `size` bytes; 0 at the end. Waits while nothing is there.
std::size_t read(int fd, void* into, std::size_t size);
std::size_t read(int fd, void* into, std::size_t size, std::error_code& error) noexcept;
std::optional<std::size_t> read(int fd, void* into, std::size_t size, const std::stop_token& stop);
std::size_t read(int fd, void* into, std::size_t size, const std::stop_token& stop,
                 std::error_code& error) noexcept;

/// readv(2): the same into several pieces, one after the other.
std::size_t readv(int fd, std::span<const ::iovec> into);
std::size_t readv(int fd, std::span<const ::iovec> into, std::error_code& error) noexcept;
std::optional<std::size_t> readv(int fd, std::span<const ::iovec> into, const std::stop_token& stop);
std::size_t readv(int fd, std::span<const ::iovec> into, const std::stop_token& stop,
                  std::error_code& error) noexcept;

/// write(2): how many bytes were taken. Waits while there is no room; fewer than `size` when a request came
/// after some were taken.
std::size_t write(int fd, const void* from, std::size_t size);
std::size_t write(int fd, const void* from, std::size_t size, std::error_code& error) noexcept;
std::optional<std::size_t> write(int fd, const void* from, std::size_t size, const std::stop_token& stop);
std::size_t write(int fd, const void* from, std::size_t size, const std::stop_token& stop,
                  std::error_code& error) noexcept;

/// writev(2): the same from several pieces.
std::size_t writev(int fd, std::span<const ::iovec> from);
std::size_t writev(int fd, std::span<const ::iovec> from, std::error_code& error) noexcept;
std::optional<std::size_t> writev(int fd, std::span<const ::iovec> from, const std::stop_token& stop);
std::size_t writev(int fd, std::span<const ::iovec> from, const std::stop_token& stop,
                   std::error_code& error) noexcept;

} // namespace lastcall::io
