// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/errors.hpp>
#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/runtime/runtime_options.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstdint>

namespace lastcall {

/// The time between a beginning and an ordered end, of all that threads share: threads and daemons, the big
/// lock, streams, what is to be done at the end. Again and again in one process.
///
/// A program that just returns from main while threads run has an end made of accidents: statics are
/// destroyed under threads that use them, a buffer is flushed or not, a lock is held by somebody who will
/// never run again. A runtime makes it an operation with an order, a deadline and a report:
///
///     stop → join → at_exit → last words of streams → big lock closed → daemons unwound or parked →
///     kernel operations cancelled → finalizers → module state → last words again → report
///
///     int main() {
///       lastcall::runtime program{{.name = "importer"}};
///       lastcall::daemon_thread ticker{"ticker", "only writes a clock", tick};
///       lastcall::thread reader{"reader", read_all};
///       …
///       return program.finalize(lastcall::deadline::after(5s)).clean() ? 0 : 1;
///     }
///
/// Each has a *generation*, a number that grows. What belongs to one (threads, waits for the big lock,
/// registrations) never runs in another. A step that fails or is late is reported, and the next is taken.
///
/// Threads: one is live at a time in a process. Made on any thread, finalized on any, also one that was
/// started
///   by it (which is then not waited for). Of several that finalize at once one does, the others wait for it.
/// Stop: on a signal_scope's owner delivery is held back during the finalization. `hurry` shortens it.
/// Lifetime: a runtime that is live when the process exits (`exit`, a return from main), or when the main
///   thread that made it leaves by pthread_exit, is finalized then, under its budget; quick_exit and
///   std::terminate have streams speak, and nothing else; _exit and abort do nothing. What comes after,
///   static destruction, runs under the exit guard. See docs/finalization.md.
/// Errors: the constructor throws std::system_error: runtime_errc::live, or what the system refused.
class runtime {
public:
  explicit runtime(runtime_options options = {});
  /// `finalize()` within the options' budget, unless that was done. When it leaves something behind that was
  /// to be waited for, the process's exit status says so: 75 where it would have been 0.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Ends it, by the deadline; steps that are short and must not be left out (last words among them) may take
  /// a few hundred milliseconds more. What the program has registered runs on a thread of the runtime, so
  /// that one that hangs can be left behind.
  finalization_report finalize(deadline until) noexcept;
  finalization_report finalize() noexcept;

  /// From now on a finalization that is under way has only until this deadline. Async-signal-safe; any
  /// thread.
  static void hurry(deadline until) noexcept;

  /// Fires when the finalization begins, or at `request_stop`.
  stop_token token() const noexcept;
  /// Asks all its threads to stop. It stays live.
  bool request_stop(reason why) noexcept;

  std::uint64_t generation() const noexcept { return generation_; }
  /// Whether a runtime is live, and its finalization has not begun.
  static bool live() noexcept;

private:
  std::uint64_t generation_;
};

} // namespace lastcall
