// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/thread_sampler.hpp"

#include "sys/admit.hpp"
#include "sys/bare_call.hpp"
#include "sys/calls.hpp"
#include "sys/sampler.hpp"
#include "sys/thread_files.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>
#include <system_error>

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastcall::sys {

#if defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)

namespace {

constexpr std::size_t own_stack = 64UL * 1024;
constexpr std::int64_t second = 1'000'000'000;

// The word is cleared and its waiter woken by the kernel, which takes it for a shared one.
bool ended_by(const sampler_control& what, std::int64_t until) noexcept {
  for (;;) {
    // Pairs with the kernel's clearing: what the sampler has written is there.
    const std::uint32_t alive = __atomic_load_n(&what.alive, __ATOMIC_ACQUIRE);
    if (alive == 0) return true;
    const std::int64_t left = until - monotonic_ns();
    if (left <= 0) return false;
    const timespec most{static_cast<time_t>(left / second), static_cast<long>(left % second)};
    ::syscall(SYS_futex, &what.alive, FUTEX_WAIT, alive, &most, nullptr, 0);
  }
}

bool a_filter_might_kill_us() noexcept {
  char text[4096]{};
  const ssize_t size = read_file("/proc/self/status", text, sizeof text - 1);
  if (size > 0 && std::strstr(text, "\nSeccomp:\t2") == nullptr) return false;
  utsname system{};
  if (::uname(&system) != 0) return true;
  const char* const end = system.release + std::strlen(system.release);
  int major = 0;
  int minor = 0;
  const char* const dot = std::from_chars(system.release, end, major).ptr;
  if (dot == end || std::from_chars(dot + 1, end, minor).ec != std::errc{}) return true;
  return major < 5 || (major == 5 && minor < 16);
}

// Yama lets only ancestors trace, and whom the process itself has named.
bool yama_wants_a_name() noexcept {
  char scope = '0';
  return read_file("/proc/sys/kernel/yama/ptrace_scope", &scope, 1) == 1 && scope == '1';
}

} // namespace

int sample_threads(sampling& what) noexcept {
  if (const int refused = admit(call::clone)) return -refused;
  if (const int refused = admit(call::ptrace)) return -refused;
  if (a_filter_might_kill_us()) return -EOPNOTSUPP;
  std::byte* const pages = take_pages(own_stack);
  if (pages == nullptr) return -ENOMEM;
  auto& made = *new (pages) sampler_control;
  made.what = &what;
  made.until = monotonic_ns() + what.within_ns;
  for (std::size_t i = 0; i < what.count; ++i) what.samples[i].error = ETIMEDOUT;

  const std::uint64_t mask = signal_mask();
  set_signal_mask(~std::uint64_t{0});
  const auto pid = static_cast<pid_t>(clone_and_run(&run_sampler, &made, pages + own_stack,
                                                    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED |
                                                        CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                                                    &made.alive));
  set_signal_mask(mask);
  if (pid < 0) {
    give_pages_back(pages, own_stack);
    return static_cast<int>(pid);
  }

  const bool named = yama_wants_a_name();
  if (named) ::prctl(PR_SET_PTRACER, pid, 0, 0, 0);
  __atomic_store_n(&made.go, 1, __ATOMIC_RELEASE); // pairs with the sampler's wait
  ::syscall(SYS_futex, &made.go, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);

  bool ended = ended_by(made, made.until + second);
  const bool killed = !ended;
  if (killed) {
    ::kill(pid, SIGKILL);
    ended = ended_by(made, monotonic_ns() + second);
  }
  if (named) ::prctl(PR_SET_PTRACER, 0, 0, 0, 0);
  if (!ended) return -EBUSY;
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  if (!killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
    for (std::size_t i = 0; i < what.count; ++i)
      if (what.samples[i].error == ETIMEDOUT) what.samples[i].error = ECHILD;
  give_pages_back(pages, own_stack);
  return 0;
}

#else

int sample_threads(sampling&) noexcept { return -EOPNOTSUPP; }

#endif

bool read_memory(std::uint64_t address, std::uint64_t& into) noexcept {
  const iovec local{&into, sizeof into};
  const iovec remote{reinterpret_cast<void*>(address), sizeof into};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == sizeof into;
}

std::byte* take_pages(std::size_t size) noexcept {
  if (admit(call::mmap) != 0) return nullptr;
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

void give_pages_back(std::byte* pages, std::size_t size) noexcept { ::munmap(pages, size); }

} // namespace lastcall::sys
