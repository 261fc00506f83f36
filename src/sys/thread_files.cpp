// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/thread_files.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

int open_for_reading(const char* path, int flags) noexcept {
  if (const int refused = admit(call::openat)) return -refused;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | flags); // NOLINT(cppcoreguidelines-pro-type-vararg)
  return fd < 0 ? -errno : fd;
}

// An entry of a directory as the kernel writes it: two numbers of eight bytes, its length, its kind, its
// name.
constexpr std::size_t length_at = 16, name_at = 19;

} // namespace

ssize_t read_file(const char* path, char* into, std::size_t size) noexcept {
  const int fd = open_for_reading(path, 0);
  if (fd < 0) return fd;
  ssize_t result = -admit(call::read);
  if (result == 0 && (result = ::read(fd, into, size)) < 0) result = -errno;
  ::close(fd);
  return result;
}

ssize_t read_thread_file(pid_t thread, const char* name, char* into, std::size_t size) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", static_cast<int>(thread), name);
  return read_file(path, into, size);
}

int list_threads(pid_t* into, std::size_t room) noexcept {
  const int fd = open_for_reading("/proc/self/task", O_DIRECTORY);
  if (fd < 0) return fd;
  int found = 0;
  long bytes = -admit(call::getdents);
  alignas(std::uint64_t) char entries[4096];
  while (bytes >= 0) {
    bytes = ::syscall(SYS_getdents64, fd, entries, sizeof entries);
    if (bytes < 0) bytes = -errno;
    if (bytes <= 0) break;
    for (long at = 0; at < bytes;) {
      std::uint16_t length = 0;
      std::memcpy(&length, entries + at + length_at, sizeof length);
      const char* name = entries + at + name_at;
      at += length;
      pid_t thread = 0;
      if (std::from_chars(name, name + std::strlen(name), thread).ec != std::errc{}) continue; // "." and ".."
      if (static_cast<std::size_t>(found) < room) into[found] = thread;
      ++found;
    }
  }
  ::close(fd);
  return bytes < 0 ? static_cast<int>(bytes) : found;
}

} // namespace lastcall::sys
