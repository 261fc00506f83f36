// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/launcher.hpp"
#include "subject/run.hpp"
#include "tracer/call_naming.hpp"
#include "tracer/process_files.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace checker {

/// One system call of an undisturbed run.
struct recorded_call {
  std::string role;
  std::string call;
  bool slept = false;    ///< in a way that a signal can end
  bool returned = false; ///< it was seen to end: exit_group never does, and a wait for ever does not
};

/// What to do with a subject that has just been launched.
struct trace_task {
  std::optional<injection> ask;
  /// Only calls of the wanted kind stop the subject, by a filter that it keeps: faster by far, but the others
  /// are not held while one thread is to sleep.
  bool by_filter = false;
  bool record = false;        ///< note every system call
  bool end_when_idle = false; ///< all threads wait for ever: that is the end of what can be seen
  bool timed_idle = false;    ///< the subject idles in timed waits: these count as idle too
  bool has_alarm = false;     ///< it sets alarms, which nothing shows: no wait of it is for ever
  seconds limit{30};          ///< for a run as a whole, while nobody has asked
  seconds limit_after{2};     ///< from the request to the end
  seconds limit_processor{1}; ///< of computing, from the request on
  seconds quiet{0.3};         ///< a wait for ever that lasts as long is a deadlock
  seconds grace{}; ///< for the other processes, after the first has ended; 0: while they do something
};

struct trace_result {
  run seen; ///< all but the trees and what is run afterwards
  std::vector<recorded_call> calls;
  bool has_alarm = false;  ///< it was seen to set one
  bool idle = false;       ///< ended because all threads wait
  bool timed_idle = false; ///< … at the limit, in timed waits; `calls` stop where that began
  seconds processor{};     ///< time the subject used, with its reaped children
};

/// Follows a launched subject to its end, asks it to stop at one point, and kills what is left of it.
/// Returns when no process of it exists. Throws `cannot_check` where it may not be traced, or where its
/// program cannot be executed.
///
/// The calling process has one thread and no other children; SIGALRM is taken meanwhile.
[[nodiscard]] trace_result follow(launched& what, const trace_task& task, const call_naming& naming,
                                  const process_files& files);

} // namespace checker
