// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <csignal>
#include <span>
#include <string>
#include <vector>

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

/// Says where threads are, one text for each, in the same order; may throw. Called on the thread that asks,
/// from several at once. It must return by the deadline, or a bounded time after.
using stack_source = std::vector<std::string> (*)(std::span<const pid_t> threads, deadline until);

/// How long a source may take, where nothing else is said.
inline constexpr duration longest_look = std::chrono::seconds{2};

/// Where `thread` (the kernel's id, of this process) is: by the source that is registered, otherwise as
/// `kernel_whereabouts_of`. When the source throws, the text says so and goes on with the kernel's.
/// No line break at the end; several lines where there is a stack. Takes `longest_look` at most. Throws
/// std::bad_alloc.
std::string whereabouts_of(pid_t thread);

/// The same of several threads, in their order, by one look at all of them: a report on a hundred threads
/// that asks for each alone waits a hundred times. When the deadline has passed already, no source is asked
/// and the kernel's words are all there is. Throws std::bad_alloc.
std::vector<std::string> whereabouts_of(std::span<const pid_t> threads, deadline until);

/// What the kernel shows: `"reader" (1234): asleep in read(fd 0) (wchan pipe_read)`. Parts that it does not
/// show (to a process that may not be looked into, or where /proc is not mounted) are left out. Waits for
/// nobody. Throws std::bad_alloc.
std::string kernel_whereabouts_of(pid_t thread);

/// Makes `next` the source and returns the one before; nullptr is none. A call of the one before may still be
/// running when this returns.
stack_source exchange_stack_source(stack_source next) noexcept;

} // namespace lastcall
