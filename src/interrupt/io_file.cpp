// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/file.hpp>

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

detail::blocking_call open_call(const char* path, int flags, unsigned mode) noexcept {
  return make_call("open", number::openat, number::here, path, flags, mode);
}
detail::blocking_call flock_call(int fd, int operation) noexcept {
  return make_call("flock", number::flock, fd, operation);
}

} // namespace

int open(const char* path, int flags, unsigned mode) {
  return as<int>(as_owner(open_call(path, flags, mode)));
}
int open(const char* path, int flags, unsigned mode, error_code& error) noexcept {
  return as<int>(as_owner(open_call(path, flags, mode), error));
}
std::optional<int> open(const char* path, int flags, unsigned mode, const stop_token& stop) {
  return as<int>(until_stopped(open_call(path, flags, mode), stop));
}
int open(const char* path, int flags, unsigned mode, const stop_token& stop, error_code& error) noexcept {
  return as<int>(until_stopped(open_call(path, flags, mode), stop, error));
}

void flock(int fd, int operation) { as_owner(flock_call(fd, operation)); }
void flock(int fd, int operation, error_code& error) noexcept { as_owner(flock_call(fd, operation), error); }
bool flock(int fd, int operation, const stop_token& stop) {
  return until_stopped(flock_call(fd, operation), stop).has_value();
}
void flock(int fd, int operation, const stop_token& stop, error_code& error) noexcept {
  until_stopped(flock_call(fd, operation), stop, error);
}

} // namespace lastcall::io
