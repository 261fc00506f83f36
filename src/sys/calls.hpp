// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include <signal.h>
#include <sys/types.h>

/// Every system call of the library, as a plain function. They return what the kernel returns: a result
/// that is not negative, or minus an errno; `errno` itself may or may not be changed. None of them
/// retries: whether EINTR means "again" is the caller's business.
///
/// Signals: all of them are async-signal-safe.
namespace lastcall::sys {

// --- signals ---
int sigaction(int signal, const struct ::sigaction* next, struct ::sigaction* old) noexcept;
/// Queues `signal` with this very `info` to the calling thread.
int requeue_to_self(int signal, const siginfo_t& info) noexcept;
/// Raises `signal` in the calling thread.
int tgkill_self(int signal) noexcept;
/// Raises `signal` in a thread of this process.
int tgkill(pid_t thread, int signal) noexcept;
/// Takes one pending `signal` of the calling thread or the process, blocked or not, without running its
/// handler: its number, or -EAGAIN when none is pending.
int take_pending(int signal) noexcept;
/// Takes the next signal that is pending, where all are blocked, and waits for it as long as `timeout_ns`
/// (negative: without limit): its number, or -EAGAIN when none came.
int await_signal(siginfo_t& info, std::int64_t timeout_ns) noexcept;
/// Queues `signal` with this very `info` to a process. The kernel refuses one that says to come from itself.
int queue_signal(pid_t process, int signal, const siginfo_t& info) noexcept;
/// Unblocks or blocks `signal` for the calling thread.
int unblock(int signal) noexcept;
int block(int signal) noexcept;
/// Whether the calling thread blocks `signal`; whether one is pending for it or for the process.
bool is_blocked(int signal) noexcept;
bool is_pending(int signal) noexcept;
/// The calling thread's mask, signal 1 in the lowest bit; and another one in its place. Neither can fail.
std::uint64_t signal_mask() noexcept;
void set_signal_mask(std::uint64_t mask) noexcept;
/// Of a handler's third argument, the mask of the thread it has interrupted; and a set in the same form.
std::uint64_t interrupted_mask(const void* context) noexcept;
std::uint64_t bits_of(const sigset_t& set) noexcept;

// --- identity and time ---
pid_t getpid() noexcept;
pid_t gettid() noexcept;
uid_t getuid() noexcept;
/// CLOCK_MONOTONIC in nanoseconds: the same clock as std::chrono::steady_clock.
std::int64_t monotonic_ns() noexcept;
/// The same, as it was at the kernel's last tick: some milliseconds old at most.
std::int64_t monotonic_ns_of_tick() noexcept;

// --- waiting ---
/// Sleeps while `word == expected`, at most `timeout_ns` (negative: without limit).
int futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
               std::int64_t timeout_ns) noexcept;
int futex_wake(const std::atomic<std::uint32_t>& word, int waiters) noexcept;

/// Lets other threads run.
void yield() noexcept;

// --- ending ---
/// In so many seconds SIGALRM comes, unblocked, with its default action.
void alarm_by_default(long seconds) noexcept;
[[noreturn]] void exit_now(int status) noexcept;

} // namespace lastcall::sys
