// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstdint>

#include <sys/types.h>

/// Processes: making, watching, signalling and reaping them. As in calls.hpp: a result that is not negative,
/// or minus an errno; nothing is tried again.
namespace lastcall::sys {

/// fork(2) through libc, so that the child's libc knows its thread and everybody's fork handlers run.
pid_t fork_process() noexcept;

/// A descriptor of a process, close-on-exec: it means that very process for ever, whoever gets its number.
int pidfd_open(pid_t process) noexcept;
int pidfd_send_signal(int pidfd, int signal) noexcept;
/// Closes any descriptor.
int close_fd(int fd) noexcept;

/// How a child ended.
enum class end_kind : std::uint8_t {
  exited,
  signalled,
  dumped,
  stopped ///< … or did not: told by `next_change` only
};
struct child_end {
  pid_t pid = 0;
  end_kind kind = end_kind::exited;
  int value = 0; ///< the status, or the signal's number
};

/// Reaps the child that `pidfd` means: 1 and `end`, or 0 while it runs. Never waits.
int reap(int pidfd, child_end& end) noexcept;
/// The same by its number, for a child that nobody else can have reaped.
int reap_pid(pid_t child, child_end& end) noexcept;
/// Reaps any child that has ended: 1, or 0 where none has; -ECHILD when there are none.
int reap_any(child_end& end) noexcept;
/// The same, and told of children that were stopped as well.
int next_change(child_end& change) noexcept;
/// Whether the process is a child of this one, which may have ended and is not reaped.
bool is_child(pid_t process) noexcept;
/// How a process ended that somebody else has reaped, where the kernel keeps it for the descriptor's holder
/// (Linux 6.15 and newer): 1; otherwise 0 or an error.
int end_of_reaped(int pidfd, child_end& end) noexcept;

pid_t parent_pid() noexcept;
/// The signal this process gets when the *thread* that forked it ends; kept by the calling thread. 0: none.
int set_parent_death_signal(int signal) noexcept;
/// Orphans among the descendants become children of this process, not of process 1.
int become_subreaper() noexcept;
void resign_as_subreaper() noexcept;
/// Ends this process by SIGKILL.
[[noreturn]] void kill_self() noexcept;
/// kill(2), for process groups and for children whose pidfd cannot be had.
int signal_process(pid_t process, int signal) noexcept;
/// Every signal but SIGKILL and SIGSTOP with its default action, ignored ones too.
void reset_dispositions() noexcept;

/// The group of this process: 0 where its leader is outside of the pid namespace. And one of its own.
pid_t process_group() noexcept;
int make_process_group() noexcept;
bool leads_session() noexcept;
/// The foreground group of the terminal `fd`; an error where it is not this session's. And another one, also
/// from the background: SIGTTOU is blocked by the caller.
pid_t foreground_group(int fd) noexcept;
int set_foreground_group(int fd, pid_t group) noexcept;

/// Closes all descriptors there are.
void close_all_descriptors() noexcept;
/// No core of this process is dumped, whatever ends it.
void dump_no_core() noexcept;

/// A descriptor that is readable while SIGCHLD, blocked here, is pending; and taking it off.
int child_signal_fd() noexcept;
void drain_child_signals(int fd) noexcept;

/// pipe2(2), close-on-exec; and /dev/null, for reading and writing.
int make_pipe(int (&ends)[2]) noexcept;
int open_nothing() noexcept;
/// /dev/null in the place of standard input.
int close_standard_input() noexcept;
/// Whether the program runs with more rights than its caller (set-uid and its like).
bool secure_execution() noexcept;

} // namespace lastcall::sys
