// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/stretch.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stepping {

void stretch::begin() noexcept {
  errno = errno_before;
  __asm__ volatile("int3" ::: "memory"); // stops a traced thread
}

void stretch::end() noexcept {
  the_end();
  past.store(true, std::memory_order_relaxed);
  errno_kept = errno == errno_before;
}

void the_end() noexcept { __asm__ volatile("" ::: "memory"); }

namespace {

// All without the heap: how often this is asked varies, and the subject's allocations must not.
bool asleep(int tasks, const char* thread) {
  char path[sizeof(dirent64::d_name) + 8];
  std::snprintf(path, sizeof path, "%s/stat", thread);
  const int file = ::openat(tasks, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return true; // it has ended
  char text[512];
  const auto size = ::read(file, text, sizeof text);
  ::close(file);
  const std::string_view line{text, size > 0 ? static_cast<std::size_t>(size) : 0};
  const auto name_end = line.rfind(')');
  return name_end != std::string_view::npos && line.substr(name_end).starts_with(") S");
}

bool others_asleep() {
  const int tasks = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  alignas(dirent64) char entries[4096];
  const long filled = ::syscall(SYS_getdents64, tasks, entries, sizeof entries);
  bool all = filled > 0;
  for (long at = 0; at < filled;) {
    const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
    const pid_t thread = std::atoi(entry->d_name);
    if (thread != 0 && thread != ::getpid() && !asleep(tasks, entry->d_name)) all = false;
    at += entry->d_reclen;
  }
  ::close(tasks);
  return all;
}

} // namespace

void settle() noexcept {
  while (!others_asleep()) ::sched_yield();
}

} // namespace stepping
