// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A child that shares memory.
//
// Aim: start another program, know its descriptor before anybody can reap it, and say which call failed.
//
// fork copies page tables, which takes milliseconds in a large process, and runs everybody's fork handlers.
// posix_spawn does what is done here but gives neither a pidfd nor the name of the call that failed, and
// knows nothing of directories, limits and parent-death signals on all systems of today. So: clone with
// CLONE_VM and CLONE_VFORK. The kernel keeps this thread asleep until the child has another program or has
// ended.
//
// What can go wrong with memory that is shared is this:
//
// 1. A handler that runs in the child would act on the parent's memory. So all signals are blocked before the
//    call, and the child unblocks them once each is at its default action or ignored.
// 2. The child has this thread's thread-local storage, errno and the sanitizer's books among it. It runs code
//    that no sanitizer has seen, makes bare system calls, allocates nothing and takes no lock.
// 3. The stack must not be this thread's: the child would overwrite the frames it returns to. It gets pages.
//
// What is left: while the file is looked up on a file system that does not answer, the thread sleeps in a way
// that only SIGKILL ends.
#include "sys/spawn.hpp"

#include "sys/bare_call.hpp"
#include "sys/calls.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread_sampler.hpp"

#include <cerrno>

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastcall::sys {

#if defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)

pid_t spawn(spawning& what) noexcept {
  constexpr std::size_t own_stack = 64UL * 1024;
  what.failed = call::clone;
  if (const int refused = admit(call::clone)) return -(what.error = refused);
  std::byte* const pages = take_pages(own_stack);
  if (pages == nullptr) {
    what.failed = call::mmap;
    return -(what.error = ENOMEM);
  }
  what.error = 0;
  std::uint32_t pidfd = ~0U;
  const std::uint64_t mask = signal_mask();
  set_signal_mask(~std::uint64_t{0});
  const auto pid = static_cast<pid_t>(clone_and_run(&run_spawned, &what, pages + own_stack,
                                                    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &pidfd));
  set_signal_mask(mask);
  give_pages_back(pages, own_stack);
  if (pid < 0) return -(what.error = -pid);
  what.pidfd = static_cast<int>(pidfd);
  if (what.error == 0) return pid;
  // It is ending, or has: the only wait here, for somebody who does nothing any more. SIGCHLD that came of it
  // is the program's to see.
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  close_fd(what.pidfd);
  what.pidfd = -1;
  return -what.error;
}

#else

pid_t spawn(spawning& what) noexcept {
  what.failed = call::clone;
  what.error = ENOSYS;
  return -ENOSYS;
}

#endif

} // namespace lastcall::sys
