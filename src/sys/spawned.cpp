// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The child of spawn.cpp, up to its program. Here is no C library: see there.
#include "sys/bare_call.hpp"
#include "sys/spawn.hpp"

#include <cerrno>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace lastcall::sys {

#if defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)

namespace {

long as_register(const void* pointer) noexcept {
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Keeps the first failure; false where there is one.
bool went_well(spawning& what, call which, long result, int at = -1) noexcept {
  if (result >= 0) return true;
  what.failed = which;
  what.error = static_cast<int>(-result);
  what.failed_at = at;
  return false;
}

template <class... Arguments>
bool make(spawning& what, call which, int at, long number, Arguments... arguments) noexcept {
  const int refused = admit(which);
  return went_well(what, which, refused != 0 ? -refused : bare_call(number, arguments...), at);
}

// The kernel's own layout: handler, flags, restorer, mask.
struct kernel_action {
  void* handler;
  unsigned long flags;
  void* restorer;
  std::uint64_t mask;
};

void forget_signals() noexcept {
  const kernel_action plain{};
  constexpr int last = 64;
  for (int signal = 1; signal <= last; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP)
      bare_call(SYS_rt_sigaction, signal, as_register(&plain), 0, sizeof plain.mask);
}

// First every one out of the way of the others, then each to its place. One that is there already only loses
// its close-on-exec.
bool place_descriptors(spawning& what) noexcept {
  int above = 3;
  for (std::size_t i = 0; i < what.fd_count; ++i)
    if (what.fds[i].to >= above) above = what.fds[i].to + 1;
  for (std::size_t i = 0; i < what.fd_count; ++i) {
    const int refused = admit(call::fcntl);
    const long copy =
        refused != 0 ? -refused : bare_call(SYS_fcntl, what.fds[i].from, F_DUPFD_CLOEXEC, above);
    if (!went_well(what, call::fcntl, copy, static_cast<int>(i))) return false;
    what.spare[i] = static_cast<int>(copy);
  }
  for (std::size_t i = 0; i < what.fd_count; ++i)
    if (!make(what, call::dup, static_cast<int>(i), SYS_dup3, what.spare[i], what.fds[i].to, 0)) return false;
  return true;
}

bool limit_resources(spawning& what) noexcept {
  for (std::size_t i = 0; i < what.limit_count; ++i) {
    const resource_limit& each = what.limits[i];
    const std::uint64_t both[2]{each.soft, each.hard};
    if (!make(what, call::prlimit, static_cast<int>(i), SYS_prlimit64, 0, each.resource, as_register(both),
              0))
      return false;
  }
  return true;
}

bool prepare(spawning& what) noexcept {
  if (what.entrance >= 0 && !make(what, call::write, -1, SYS_write, what.entrance, as_register("0"), 1))
    return false;
  if (what.parent_death_signal != 0 &&
      !make(what, call::prctl, -1, SYS_prctl, PR_SET_PDEATHSIG, what.parent_death_signal))
    return false;
  // A parent that ended before that was armed leaves no signal.
  if (what.parent_death_signal != 0 && bare_call(SYS_getppid) != what.parent)
    return went_well(what, call::prctl, -ESRCH);
  if (what.new_session && !make(what, call::setsid, -1, SYS_setsid)) return false;
  if (!what.new_session && what.group >= 0 && !make(what, call::setpgid, -1, SYS_setpgid, 0, what.group))
    return false;
  if (what.directory != nullptr && !make(what, call::chdir, -1, SYS_chdir, as_register(what.directory)))
    return false;
  return place_descriptors(what) && limit_resources(what);
}

} // namespace

int run_spawned(void* argument) noexcept {
  constexpr int not_found = 127;
  auto& what = *static_cast<spawning*>(argument);
  forget_signals();
  if (!prepare(what)) return not_found;
  const std::uint64_t none = 0;
  bare_call(SYS_rt_sigprocmask, SIG_SETMASK, as_register(&none), 0, sizeof none);
  // As a shell does: the first file that is there; one that may not be run is remembered.
  int error = ENOENT;
  for (const char* const* path = what.paths; *path != nullptr; ++path) {
    const int refused = admit(call::execve);
    const long result = refused != 0 ? -refused
                                     : bare_call(SYS_execve, as_register(*path), as_register(what.arguments),
                                                 as_register(what.environment));
    const int failed = static_cast<int>(-result);
    if (failed != ENOENT && failed != ENOTDIR) error = failed;
    if (failed != ENOENT && failed != ENOTDIR && failed != EACCES) break;
  }
  went_well(what, call::execve, -error);
  return not_found;
}

#else

int run_spawned(void*) noexcept { return 127; }

#endif

} // namespace lastcall::sys
