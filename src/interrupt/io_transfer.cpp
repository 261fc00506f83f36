// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/transfer.hpp>

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"

namespace lastcall::io {

namespace number = sys::number;
using detail::as;
using detail::as_owner;
using detail::blocking_call;
using detail::make_call;
using detail::until_stopped;
using std::error_code;
using std::size_t;
using std::stop_token;
using pieces = std::span<const ::iovec>;

namespace {

blocking_call reading(int fd, void* into, size_t size) noexcept {
  return make_call("read", number::read, fd, into, size);
}
blocking_call writing(int fd, const void* from, size_t size) noexcept {
  return make_call("write", number::write, fd, from, size);
}
blocking_call reading(int fd, pieces into) noexcept {
  return make_call("readv", number::readv, fd, into.data(), into.size());
}
blocking_call writing(int fd, pieces from) noexcept {
  return make_call("writev", number::writev, fd, from.data(), from.size());
}

} // namespace

size_t read(int fd, void* into, size_t size) { return as<size_t>(as_owner(reading(fd, into, size))); }
size_t read(int fd, void* into, size_t size, error_code& error) noexcept {
  return as<size_t>(as_owner(reading(fd, into, size), error));
}
std::optional<size_t> read(int fd, void* into, size_t size, const stop_token& stop) {
  return as<size_t>(until_stopped(reading(fd, into, size), stop));
}
size_t read(int fd, void* into, size_t size, const stop_token& stop, error_code& error) noexcept {
  return as<size_t>(until_stopped(reading(fd, into, size), stop, error));
}

size_t readv(int fd, pieces into) { return as<size_t>(as_owner(reading(fd, into))); }
size_t readv(int fd, pieces into, error_code& error) noexcept {
  return as<size_t>(as_owner(reading(fd, into), error));
}
std::optional<size_t> readv(int fd, pieces into, const stop_token& stop) {
  return as<size_t>(until_stopped(reading(fd, into), stop));
}
size_t readv(int fd, pieces into, const stop_token& stop, error_code& error) noexcept {
  return as<size_t>(until_stopped(reading(fd, into), stop, error));
}

size_t write(int fd, const void* from, size_t size) { return as<size_t>(as_owner(writing(fd, from, size))); }
size_t write(int fd, const void* from, size_t size, error_code& error) noexcept {
  return as<size_t>(as_owner(writing(fd, from, size), error));
}
std::optional<size_t> write(int fd, const void* from, size_t size, const stop_token& stop) {
  return as<size_t>(until_stopped(writing(fd, from, size), stop));
}
size_t write(int fd, const void* from, size_t size, const stop_token& stop, error_code& error) noexcept {
  return as<size_t>(until_stopped(writing(fd, from, size), stop, error));
}

size_t writev(int fd, pieces from) { return as<size_t>(as_owner(writing(fd, from))); }
size_t writev(int fd, pieces from, error_code& error) noexcept {
  return as<size_t>(as_owner(writing(fd, from), error));
}
std::optional<size_t> writev(int fd, pieces from, const stop_token& stop) {
  return as<size_t>(until_stopped(writing(fd, from), stop));
}
size_t writev(int fd, pieces from, const stop_token& stop, error_code& error) noexcept {
  return as<size_t>(until_stopped(writing(fd, from), stop, error));
}

} // namespace lastcall::io
