// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/process_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

int outcome(long result) noexcept { return result < 0 ? -errno : static_cast<int>(result); }

// The system calls have had these numbers on every processor since 5.1, 5.3 and 5.9.
constexpr long pidfd_send_signal_number = 424;
constexpr long pidfd_open_number = 434;
constexpr long close_range_number = 436;
constexpr int by_pidfd = 3; // P_PIDFD; older headers lack it

int reap_by(idtype_t which, id_t id, child_end& end, int also = 0) noexcept {
  if (const int refused = admit(call::waitid)) return -refused;
  siginfo_t what{};
  if (::waitid(which, id, &what, WEXITED | WNOHANG | also) != 0) return -errno;
  if (what.si_pid == 0) return 0;
  end.pid = what.si_pid;
  end.value = what.si_status;
  end.kind = what.si_code == CLD_EXITED    ? end_kind::exited
             : what.si_code == CLD_DUMPED  ? end_kind::dumped
             : what.si_code == CLD_STOPPED ? end_kind::stopped
                                           : end_kind::signalled;
  return 1;
}

// linux/pidfd.h, as of 6.15.
struct pidfd_info {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::uint32_t pid, tgid, ppid, ids[8];
  std::int32_t exit_code;
};
static_assert(sizeof(pidfd_info) == 64);
constexpr std::uint64_t info_exit = 1U << 3U;

} // namespace

pid_t fork_process() noexcept {
  if (const int refused = admit(call::fork)) return -refused;
  const pid_t child = ::fork();
  return child < 0 ? -errno : child;
}

int pidfd_open(pid_t process) noexcept {
  if (const int refused = admit(call::pidfd_open)) return -refused;
  return outcome(::syscall(pidfd_open_number, process, 0));
}

int pidfd_send_signal(int pidfd, int signal) noexcept {
  if (const int refused = admit(call::pidfd_send_signal)) return -refused;
  return outcome(::syscall(pidfd_send_signal_number, pidfd, signal, nullptr, 0));
}

int close_fd(int fd) noexcept {
  // Refused or not, it has to be closed: a descriptor that stays open keeps others waiting for its end.
  admit(call::close);
  return outcome(::syscall(SYS_close, fd)); // not by libc: there a thread may be cancelled
}

int reap(int pidfd, child_end& end) noexcept {
  return reap_by(static_cast<idtype_t>(by_pidfd), static_cast<id_t>(pidfd), end);
}

int reap_pid(pid_t child, child_end& end) noexcept { return reap_by(P_PID, static_cast<id_t>(child), end); }

int reap_any(child_end& end) noexcept { return reap_by(P_ALL, 0, end); }

int next_change(child_end& change) noexcept { return reap_by(P_ALL, 0, change, WSTOPPED); }

bool is_child(pid_t process) noexcept {
  siginfo_t what{};
  return ::waitid(P_PID, static_cast<id_t>(process), &what, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int end_of_reaped(int pidfd, child_end& end) noexcept {
  pidfd_info info{};
  info.mask = info_exit;
  if (::ioctl(pidfd, _IOWR(0xFF, 11, pidfd_info), &info) != 0) return -errno;
  if ((info.mask & info_exit) == 0) return 0;
  const int status = info.exit_code;
  if (WIFEXITED(status))
    end = {end.pid, end_kind::exited, WEXITSTATUS(status)};
  else
    end = {end.pid, WCOREDUMP(status) ? end_kind::dumped : end_kind::signalled, WTERMSIG(status)};
  return 1;
}

pid_t parent_pid() noexcept { return ::getppid(); }

int set_parent_death_signal(int signal) noexcept {
  if (const int refused = admit(call::prctl)) return -refused;
  return outcome(::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0));
}

int become_subreaper() noexcept {
  if (const int refused = admit(call::prctl)) return -refused;
  return outcome(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

void resign_as_subreaper() noexcept { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

void kill_self() noexcept {
  ::kill(::getpid(), SIGKILL);
  ::_exit(128 + SIGKILL); // process 1 of a namespace does not hear its own signals
}

int signal_process(pid_t process, int signal) noexcept { return outcome(::kill(process, signal)); }

void reset_dispositions() noexcept {
  struct ::sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) ::sigaction(signal, &plain, nullptr);
}

pid_t process_group() noexcept { return ::getpgrp(); }

int make_process_group() noexcept {
  if (const int refused = admit(call::setpgid)) return -refused;
  return outcome(::setpgid(0, 0));
}

bool leads_session() noexcept { return ::getsid(0) == ::getpid(); }

pid_t foreground_group(int fd) noexcept { return outcome(::tcgetpgrp(fd)); }

int set_foreground_group(int fd, pid_t group) noexcept {
  if (const int refused = admit(call::tcsetpgrp)) return -refused;
  return outcome(::tcsetpgrp(fd, group));
}

void close_all_descriptors() noexcept {
  if (::syscall(close_range_number, 0U, ~0U, 0U) == 0) return;
  rlimit limit{};
  constexpr rlim_t enough = 65'536; // where there is no limit each would take its time
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = static_cast<int>(std::min(limit.rlim_cur, enough));
  for (int fd = 0; fd < end; ++fd) ::syscall(SYS_close, fd);
}

void dump_no_core() noexcept { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int child_signal_fd() noexcept {
  if (const int refused = admit(call::signalfd)) return -refused;
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGCHLD);
  return outcome(::signalfd(-1, &only, SFD_CLOEXEC | SFD_NONBLOCK));
}

void drain_child_signals(int fd) noexcept {
  signalfd_siginfo what{};
  while (::read(fd, &what, sizeof what) > 0) {
  }
}

int make_pipe(int (&ends)[2]) noexcept {
  if (const int refused = admit(call::pipe)) return -refused;
  return outcome(::pipe2(ends, O_CLOEXEC));
}

int open_nothing() noexcept {
  if (const int refused = admit(call::openat)) return -refused;
  return outcome(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

int close_standard_input() noexcept {
  const int nothing = open_nothing();
  if (nothing < 0) return nothing;
  const int result = outcome(::dup2(nothing, STDIN_FILENO));
  if (nothing != STDIN_FILENO) ::close(nothing);
  return result;
}

bool secure_execution() noexcept { return ::getauxval(AT_SECURE) != 0; }

} // namespace lastcall::sys
