// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>

#include <cstddef>
#include <optional>
#include <stop_token>
#include <system_error>

struct sockaddr;

/// Sockets. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// accept4(2): the descriptor of the next connection. `from` and `size` may be null.
int accept4(int fd, ::sockaddr* from, unsigned* size, int flags);
int accept4(int fd, ::sockaddr* from, unsigned* size, int flags, std::error_code& error) noexcept;
std::optional<int> accept4(int fd, ::sockaddr* from, unsigned* size, int flags, const std::stop_token& stop);
int accept4(int fd, ::sockaddr* from, unsigned* size, int flags, const std::stop_token& stop,
            std::error_code& error) noexcept;

/// connect(2). Cut short, the attempt goes on in the kernel; called again, it waits for the outcome of that
/// same attempt, and returns or fails with it. Whoever does not want it any more closes the socket.
void connect(int fd, const ::sockaddr* to, unsigned size);
void connect(int fd, const ::sockaddr* to, unsigned size, std::error_code& error) noexcept;
bool connect(int fd, const ::sockaddr* to, unsigned size, const std::stop_token& stop);
void connect(int fd, const ::sockaddr* to, unsigned size, const std::stop_token& stop,
             std::error_code& error) noexcept;

/// recv(2): what is there, up to `size` bytes; 0 at the end.
std::size_t recv(int fd, void* into, std::size_t size, int flags);
std::size_t recv(int fd, void* into, std::size_t size, int flags, std::error_code& error) noexcept;
std::optional<std::size_t> recv(int fd, void* into, std::size_t size, int flags, const std::stop_token& stop);
std::size_t recv(int fd, void* into, std::size_t size, int flags, const std::stop_token& stop,
                 std::error_code& error) noexcept;

/// send(2): how many bytes were taken; fewer than `size` when a request came after some were taken.
std::size_t send(int fd, const void* from, std::size_t size, int flags);
std::size_t send(int fd, const void* from, std::size_t size, int flags, std::error_code& error) noexcept;
std::optional<std::size_t> send(int fd, const void* from, std::size_t size, int flags,
                                const std::stop_token& stop);
std::size_t send(int fd, const void* from, std::size_t size, int flags, const std::stop_token& stop,
                 std::error_code& error) noexcept;

} // namespace lastcall::io
