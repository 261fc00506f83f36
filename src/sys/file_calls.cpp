// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/file_calls.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

template <class Number>
Number outcome(Number result) noexcept {
  return result < 0 ? -errno : result;
}

} // namespace

int make_directory(const char* path) noexcept {
  constexpr mode_t everybody_looks = 0755;
  if (const int refused = admit(call::mkdir)) return -refused;
  return outcome(::mkdir(path, everybody_looks));
}

int remove_directory(const char* path) noexcept {
  if (const int refused = admit(call::rmdir)) return -refused;
  return outcome(::rmdir(path));
}

int open_path(const char* path, open_for what) noexcept {
  static constexpr std::array how{O_RDONLY, O_WRONLY, O_RDWR};
  if (const int refused = admit(call::openat)) return -refused;
  return outcome(::open(path, how[static_cast<std::size_t>(what)] |
                                  O_CLOEXEC)); // NOLINT(cppcoreguidelines-pro-type-vararg)
}

ssize_t read_at(int fd, void* into, std::size_t size, std::int64_t from) noexcept {
  if (const int refused = admit(call::read)) return -refused;
  return outcome(::pread(fd, into, size, from));
}

} // namespace lastcall::sys
