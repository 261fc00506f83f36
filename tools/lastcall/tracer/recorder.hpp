// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/call_naming.hpp"
#include "tracer/family.hpp"
#include "tracer/process_files.hpp"
#include "tracer/tracer.hpp"

#include <optional>
#include <vector>

namespace checker {

/// Notes every system call of an undisturbed run, and which of them slept.
///
/// A call has slept when its thread gave the processor away of its own accord between the entry and the
/// exit: the kernel counts that. The two stops count one such switch by themselves.
class recorder {
public:
  void on_entry(tracee& one, const call_naming& naming, const process_files& files);
  void on_exit(tracee& one, const process_files& files);

  /// The recording ends while this thread is in a call.
  void mark_asleep(tracee& one);
  /// Every thread waits, for a while: the place to cut a recording that has no end.
  void mark_first_wait();
  [[nodiscard]] bool saw_wait() const noexcept { return first_wait_.has_value(); }

  [[nodiscard]] bool saw_alarm() const noexcept { return saw_alarm_; }

  /// The calls in the order they were entered; with `up_to_wait` only those before the first wait.
  [[nodiscard]] std::vector<recorded_call> take(bool up_to_wait);

private:
  std::vector<recorded_call> calls_;
  std::optional<std::size_t> first_wait_;
  bool saw_alarm_ = false;
};

} // namespace checker
