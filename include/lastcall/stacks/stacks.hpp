// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/whereabouts.hpp>
#include <lastcall/wait/deadline.hpp>

#include <csignal>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Stacks of any thread of this process, by function and line.
///
/// "Component store did not stop" is half a report; the other half is the line on which its thread waits.
/// Here every thread can be asked for, whatever it does (other code's system call, a lock, a loop), and none
/// of them notices: each stands still for some microseconds, no call of its is cut short, no handler runs on
/// it.
///
///     const lastcall::stacks_in_reports on;          // reports show stacks from now on
///     …
///     for (const auto& each : lastcall::all_stacks()) std::cerr << lastcall::text_of(each) << '\n';
///
/// An optional module (target lastcall::stacks, not part of lastcall::lastcall): it needs elfutils' libdw.
/// Without it reports show what the kernel shows, see `whereabouts_of`.
///
/// Threads: all functions from any thread; one look at a time, another one waits for it.
/// Signals: never call them from a signal handler. They make no signal anywhere.
/// Errors: what cannot be found out is not a failure: `missing` says why. All of them throw std::bad_alloc,
/// and
///   nothing else.
/// Limits: docs/limits.md. Nothing is downloaded; debug information is taken from where the programs are, and
///   from where the system keeps it.
namespace lastcall {

/// One call in a stack.
struct stack_frame {
  std::uint64_t address = 0; ///< where it goes on when the inner one returns; in the innermost, where it is
  std::string function;      ///< as C++ writes it; empty: not known
  std::string file;          ///< empty: there is no debug information
  int line = 0;              ///< 0: not known
  std::string module;        ///< the program's or library's file; empty: `address` is in none
  std::uint64_t offset = 0;  ///< of `address` in it
  bool inlined = false;      ///< part of the next frame's function
};

/// Where a thread is.
struct thread_stack {
  pid_t thread = 0;
  std::string whereabouts;         ///< what the kernel showed just before, one line
  std::vector<stack_frame> frames; ///< innermost first
  std::string missing;             ///< why frames are missing, or all of them; empty: none is
};

/// The stacks of these threads (the kernel's ids, of this process), in the same order. The calling thread may
/// be among them. Returns when they are there or `until` has passed, with what is there by then.
std::vector<thread_stack> stacks_of(std::span<const pid_t> threads,
                                    deadline until = deadline::after(longest_look));
/// The same of one thread, and of all that the process has now.
thread_stack stack_of(pid_t thread, deadline until = deadline::after(longest_look));
std::vector<thread_stack> all_stacks(deadline until = deadline::after(longest_look));

/// For people: a line for the thread, then an indented one for each frame, without a line break at the end.
std::string text_of(const thread_stack& what);

/// While it lives, `whereabouts_of` and with it the library's reports show stacks. They may be nested; each
/// gives back what it found.
class stacks_in_reports {
public:
  stacks_in_reports() noexcept;
  ~stacks_in_reports();
  stacks_in_reports(const stacks_in_reports&) = delete;
  stacks_in_reports& operator=(const stacks_in_reports&) = delete;

private:
  stack_source before_;
};

} // namespace lastcall
