// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/channel.hpp"

#include <lastcall/sys/config.hpp>

#include "sys/process_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

ssize_t outcome(ssize_t result) noexcept { return result < 0 ? -errno : result; }

msghdr message_of(std::span<const piece> from) noexcept {
  msghdr message{};
  // piece is laid out as iovec; what is sent is only read.
  message.msg_iov = reinterpret_cast<::iovec*>(const_cast<piece*>(from.data()));
  message.msg_iovlen = from.size();
  return message;
}

ssize_t send_all(int fd, std::span<const piece> from, int flags) noexcept {
  if (const int refused = admit(call::sendmsg)) return -refused;
  const msghdr message = message_of(from);
  return outcome(::sendmsg(fd, &message, MSG_NOSIGNAL | flags));
}

ssize_t receive(int fd, void* into, std::size_t size, int flags) noexcept {
  if (const int refused = admit(call::recvmsg)) return -refused;
  return outcome(::recv(fd, into, size, flags));
}

struct alignas(cmsghdr) descriptor_room {
  std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> bytes{};
};

} // namespace

int make_channel(channel_kind kind, int (&ends)[2]) noexcept {
  if (const int refused = admit(call::socketpair)) return -refused;
  const int type = kind == channel_kind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
  return static_cast<int>(outcome(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends)));
}

void widen_channel(int fd, std::size_t bytes) noexcept {
  const int size = static_cast<int>(bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

ssize_t send_now(int fd, std::span<const piece> from) noexcept { return send_all(fd, from, MSG_DONTWAIT); }
ssize_t send_waiting(int fd, std::span<const piece> from) noexcept { return send_all(fd, from, 0); }

ssize_t receive_now(int fd, void* into, std::size_t size) noexcept {
  return receive(fd, into, size, MSG_DONTWAIT);
}
ssize_t receive_waiting(int fd, void* into, std::size_t size) noexcept { return receive(fd, into, size, 0); }

ssize_t send_with_fds(int fd, std::span<const piece> from, std::span<const int> fds) noexcept {
  if (const int refused = admit(call::sendmsg)) return -refused;
  if (fds.size() > most_descriptors) return -EINVAL;
  msghdr message = message_of(from);
  descriptor_room room;
  if (!fds.empty()) {
    message.msg_control = room.bytes.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(head), fds.data(), fds.size_bytes());
  }
  return outcome(::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

ssize_t receive_with_fds(int fd, void* into, std::size_t size, std::span<int> fds,
                         std::size_t& count) noexcept {
  count = 0;
  if (const int refused = admit(call::recvmsg)) return -refused;
  ::iovec place{into, size};
  descriptor_room room;
  msghdr message{};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  const ssize_t result = outcome(::recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  if (result < 0) return result;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t received = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < received; ++i) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(head) + i * sizeof(int), sizeof one);
      if (count < fds.size())
        fds[count++] = one;
      else
        close_fd(one);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) return -EMFILE;
  return result;
}

int receive_many(int fd, std::span<std::byte*> into, std::size_t room,
                 std::span<std::size_t> sizes) noexcept {
  if (const int refused = admit(call::recvmsg)) return -refused;
  std::array<mmsghdr, most_packets> messages{};
  std::array<::iovec, most_packets> places{};
  const std::size_t most = std::min({into.size(), sizes.size(), most_packets});
  for (std::size_t i = 0; i < most; ++i) {
    places[i] = {into[i], room};
    messages[i].msg_hdr.msg_iov = &places[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = static_cast<int>(
      outcome(::recvmmsg(fd, messages.data(), static_cast<unsigned>(most), MSG_WAITFORONE, nullptr)));
  for (int i = 0; i < count; ++i)
    sizes[static_cast<std::size_t>(i)] = messages[static_cast<std::size_t>(i)].msg_len;
  return count;
}

void stop_receiving(int fd) noexcept { ::shutdown(fd, SHUT_RD); }
void stop_sending(int fd) noexcept { ::shutdown(fd, SHUT_WR); }

int poll_many(std::span<awaited> what, std::int64_t timeout_ns) noexcept {
  if (const int refused = admit(call::poll)) return -refused;
  constexpr std::int64_t second = 1'000'000'000;
  const timespec most{static_cast<time_t>(timeout_ns / second), static_cast<long>(timeout_ns % second)};
  return static_cast<int>(outcome(::ppoll(reinterpret_cast<pollfd*>(what.data()), what.size(),
                                          timeout_ns < 0 ? nullptr : &most, nullptr)));
}

int made_by(int fd, pid_t& process, uid_t& user) noexcept {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return -errno;
  process = who.pid;
  user = who.uid;
  return 0;
}

} // namespace lastcall::sys
