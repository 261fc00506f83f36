// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/point.hpp"
#include "subject/tree.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What one run of the subject showed. The tracer and the sandbox fill it in, the judge reads it; no
/// verdict is in here.
namespace checker {

using seconds = std::chrono::duration<double>;

/// How the subject's first process ended. `value` is the exit status or the signal's number. A program that
/// waits for ever when left alone, and was left alone, is `hung` with `waits_as_it_should`.
struct ending {
  static constexpr int waits_as_it_should = 1;
  enum class how { exited, signaled, hung } how = how::exited;
  int value = 0;
  bool core = false;
  friend bool operator==(const ending&, const ending&) = default;
};

/// One thread and what it waits for. `call` is empty for a thread that runs.
struct thread_state {
  std::string role;
  std::string command;
  char state = '?';    ///< as in /proc/PID/stat
  std::string call;    ///< for example `futex()` or `read(0)`
  std::string channel; ///< the kernel's wait channel, where readable
};

enum class hang_kind {
  deadlock, ///< every thread waits and nothing it waits for can come
  livelock, ///< it used the processor for much longer than undisturbed
  slow,     ///< at the limit it was in timed waits
};

struct hang {
  hang_kind kind = hang_kind::slow;
  std::vector<thread_state> threads;
};

/// A descendant of the subject that died of a signal nobody sent on purpose.
struct child_death {
  std::string role;
  std::string command;
  int signal = 0;
  bool core = false;
};

/// What became of the injected signal. Only `none` means "not injected".
enum class delivery {
  none,
  delivered, ///< a thread of the target was seen to take it (handler, default action or ignored)
  pending,   ///< every thread of the target blocks it: it was queued (signalfd, sigwait, or never)
};

/// The same command run again, untouched, in the tree that an interrupted run left behind.
struct rerun {
  ending end;
  bool changed_nothing = false; ///< the tree after it equals the tree before it
};

struct verification {
  int status = 0; ///< exit status of the --verify command, 128+n for a signal
  std::string output;
};

struct run {
  std::optional<injection> asked; ///< empty for an undisturbed run
  delivery delivered = delivery::none;
  std::string not_injected; ///< why, where `delivered` is none and something was asked
  std::size_t index = 0;    ///< of the point in the order in which the undisturbed program reached them
  /// The point's call is the N-th of its name by its thread, from 1: what strace's `when=N` counts. 0: not
  /// known.
  std::uint32_t occurrence = 0;

  ending end;
  std::optional<hang> hung;
  std::vector<thread_state> survivors; ///< alive after the first process had ended and a grace had passed
  std::vector<child_death> crashes;

  tree work; ///< the working directory, after
  tree tmp;  ///< the private TMPDIR, after
  std::string out;
  std::string err;

  seconds elapsed{};
  seconds after_request{}; ///< from the injection to the end
  std::optional<rerun> again;
  std::optional<verification> verified;
};

/// Everything known of the subject when nobody interrupts it: what runs are held against.
struct reference {
  tree initial;                        ///< the working directory before any run
  std::vector<run> undisturbed;        ///< at least two, so that what varies by itself is known
  std::optional<rerun> from_completed; ///< the command run again in the completed tree
  /// False for a program that waits for ever when left alone. `undisturbed` then holds its state when all
  /// threads wait, and `stopped` how it ends when asked at that moment, one per signal and scope.
  bool ends_by_itself = true;
  std::vector<run> stopped;
};

} // namespace checker
