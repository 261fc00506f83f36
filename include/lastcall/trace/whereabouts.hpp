// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <csignal>
#include <string>

/// Where a thread is, as text for a report of who is late.
///
/// The kernel shows without further help what a thread is called, whether it runs or sleeps, and in which
/// system call; the function and line need a library that reads debug information. That one is the optional
/// module `stacks`, which registers here; nothing else of the library knows it.
///
///     log.record(lastcall::event_kind::late, name, lastcall::whereabouts_of(thread));
///
/// Threads: all functions from any thread.
/// Signals: never call them from a signal handler; they allocate.
namespace lastcall {

/// Says where a thread is; may throw. Called on the thread that asks, from several at once.
/// It must return in bounded time.
using stack_source = std::string (*)(pid_t thread);

/// Where `thread` (the kernel's id, of this process) is: by the source that is registered, otherwise as
/// `kernel_whereabouts_of`. When the source throws, the text says so and goes on with the kernel's.
/// No line break at the end; several lines where there is a stack. Throws std::bad_alloc.
std::string whereabouts_of(pid_t thread);

/// What the kernel shows: `"reader" (1234): asleep in read(fd 0) (wchan pipe_read)`. Parts that it does not
/// show (to a process that may not be looked into, or where /proc is not mounted) are left out. Waits for
/// nobody. Throws std::bad_alloc.
std::string kernel_whereabouts_of(pid_t thread);

/// Makes `next` the source and returns the one before; nullptr is none. A call of the one before may still be
/// running when this returns.
stack_source exchange_stack_source(stack_source next) noexcept;

} // namespace lastcall
