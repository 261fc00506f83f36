// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"
#include "sys/stream_calls.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/types.h>

/// Sockets between processes of one program. As in calls.hpp: a result that is not negative, or minus an
/// errno; nothing is tried again. No call raises SIGPIPE, all descriptors are close-on-exec.
namespace lastcall::sys {

/// How bytes are kept apart.
enum class channel_kind : std::uint8_t {
  stream, ///< they are not
  packet  ///< one send is one receive
};
int make_channel(channel_kind kind, int (&ends)[2]) noexcept;
/// How much may lie between the two ends, as far as the system allows.
void widen_channel(int fd, std::size_t bytes) noexcept;

/// How many bytes, without waiting (-EAGAIN); receiving gives 0 at the end.
ssize_t send_now(int fd, std::span<const piece> from) noexcept;
ssize_t receive_now(int fd, void* into, std::size_t size) noexcept;
/// The same, waiting.
ssize_t send_waiting(int fd, std::span<const piece> from) noexcept;
ssize_t receive_waiting(int fd, void* into, std::size_t size) noexcept;

/// A packet with descriptors, at most this many of them.
constexpr std::size_t most_descriptors = 8;
ssize_t send_with_fds(int fd, std::span<const piece> from, std::span<const int> fds) noexcept;
/// `count` of them were received into `fds`; those there is no room for are closed. Where this process may
/// not have as many more: -EMFILE, with the packet's bytes and those that it could have. Never waits.
ssize_t receive_with_fds(int fd, void* into, std::size_t size, std::span<int> fds,
                         std::size_t& count) noexcept;

/// Many packets at once, each with its own place; `sizes` says how long each is. How many. Waits for the
/// first.
constexpr std::size_t most_packets = 64;
int receive_many(int fd, std::span<std::byte*> into, std::size_t room, std::span<std::size_t> sizes) noexcept;

/// No more will be read here: a receive that waits on another thread ends.
void stop_receiving(int fd) noexcept;
/// Nobody sends any more, from no process that has this end: the other finds the end behind what is on its
/// way.
void stop_sending(int fd) noexcept;

/// How many of them are ready: poll(2). A negative timeout waits without limit.
int poll_many(std::span<awaited> what, std::int64_t timeout_ns) noexcept;

/// Who made the socket's other end: 0, or minus an errno.
int made_by(int fd, pid_t& process, uid_t& user) noexcept;

} // namespace lastcall::sys
