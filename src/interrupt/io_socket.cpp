// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/socket.hpp>

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"

namespace lastcall::io {

namespace number = sys::number;
using detail::as;
using detail::as_owner;
using detail::make_call;
using detail::until_stopped;
using std::error_code;
using std::stop_token;

namespace {

detail::blocking_call accept4_call(int fd, ::sockaddr* from, unsigned* size, int flags) noexcept {
  return make_call("accept4", number::accept4, fd, from, size, flags);
}
detail::blocking_call connect_call(int fd, const ::sockaddr* to, unsigned size) noexcept {
  return make_call("connect", number::connect, fd, to, size);
}
detail::blocking_call recv_call(int fd, void* into, std::size_t size, int flags) noexcept {
  return make_call("recv", number::recvfrom, fd, into, size, flags, nullptr, nullptr);
}
detail::blocking_call send_call(int fd, const void* from, std::size_t size, int flags) noexcept {
  return make_call("send", number::sendto, fd, from, size, flags, nullptr, 0);
}

} // namespace

int accept4(int fd, ::sockaddr* from, unsigned* size, int flags) {
  return as<int>(as_owner(accept4_call(fd, from, size, flags)));
}
int accept4(int fd, ::sockaddr* from, unsigned* size, int flags, error_code& error) noexcept {
  return as<int>(as_owner(accept4_call(fd, from, size, flags), error));
}
std::optional<int> accept4(int fd, ::sockaddr* from, unsigned* size, int flags, const stop_token& stop) {
  return as<int>(until_stopped(accept4_call(fd, from, size, flags), stop));
}
int accept4(int fd, ::sockaddr* from, unsigned* size, int flags, const stop_token& stop,
            error_code& error) noexcept {
  return as<int>(until_stopped(accept4_call(fd, from, size, flags), stop, error));
}

void connect(int fd, const ::sockaddr* to, unsigned size) { as_owner(connect_call(fd, to, size)); }
void connect(int fd, const ::sockaddr* to, unsigned size, error_code& error) noexcept {
  as_owner(connect_call(fd, to, size), error);
}
bool connect(int fd, const ::sockaddr* to, unsigned size, const stop_token& stop) {
  return until_stopped(connect_call(fd, to, size), stop).has_value();
}
void connect(int fd, const ::sockaddr* to, unsigned size, const stop_token& stop,
             error_code& error) noexcept {
  until_stopped(connect_call(fd, to, size), stop, error);
}

std::size_t recv(int fd, void* into, std::size_t size, int flags) {
  return as<std::size_t>(as_owner(recv_call(fd, into, size, flags)));
}
std::size_t recv(int fd, void* into, std::size_t size, int flags, error_code& error) noexcept {
  return as<std::size_t>(as_owner(recv_call(fd, into, size, flags), error));
}
std::optional<std::size_t> recv(int fd, void* into, std::size_t size, int flags, const stop_token& stop) {
  return as<std::size_t>(until_stopped(recv_call(fd, into, size, flags), stop));
}
std::size_t recv(int fd, void* into, std::size_t size, int flags, const stop_token& stop,
                 error_code& error) noexcept {
  return as<std::size_t>(until_stopped(recv_call(fd, into, size, flags), stop, error));
}

std::size_t send(int fd, const void* from, std::size_t size, int flags) {
  return as<std::size_t>(as_owner(send_call(fd, from, size, flags)));
}
std::size_t send(int fd, const void* from, std::size_t size, int flags, error_code& error) noexcept {
  return as<std::size_t>(as_owner(send_call(fd, from, size, flags), error));
}
std::optional<std::size_t> send(int fd, const void* from, std::size_t size, int flags,
                                const stop_token& stop) {
  return as<std::size_t>(until_stopped(send_call(fd, from, size, flags), stop));
}
std::size_t send(int fd, const void* from, std::size_t size, int flags, const stop_token& stop,
                 error_code& error) noexcept {
  return as<std::size_t>(until_stopped(send_call(fd, from, size, flags), stop, error));
}

} // namespace lastcall::io
