// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace lastcall {

/// The steps of a finalization, in their order.
enum class finalization_step : std::uint8_t {
  stop,            ///< everybody is asked to stop
  join,            ///< threads that are not daemons are waited for
  at_exit,         ///< what was registered with `at_exit`, newest first
  last_words,      ///< streams write what they hold
  close,           ///< the big lock is closed
  daemons,         ///< daemons are unwound or parked
  in_flight,       ///< operations of the kernel are cancelled and awaited
  finalizers,      ///< finalizers, newest first
  module_state,    ///< named state is cleared, newest first
  last_words_again ///< streams once more, for what came meanwhile; from now on they hold nothing back
};

/// The step in a few words, for reports.
std::string_view name_of(finalization_step step) noexcept;

/// What became of the bytes that a stream had accepted, where not all of them were written.
struct stream_end {
  std::string name{};
  std::string holder{};        ///< who has the stream's lock, where it could not be had
  std::uint64_t written = 0;   ///< reached the descriptor
  std::uint64_t lost = 0;      ///< were accepted and did not
  std::uint64_t uncertain = 0; ///< are in a call of the holder's that has not come back
  std::error_code error{};     ///< what the descriptor said, if that was the reason
};

/// A thread that did not end in time.
struct late_thread {
  std::string name{};
  std::string reason{}; ///< a daemon's; empty for a thread that was to be joined
  std::string where{};  ///< what can be said of where it is: its stack, or what the kernel says
};

struct step_report {
  finalization_step step = finalization_step::stop;
  duration took{};
  bool late = false;                   ///< the deadline passed in it
  std::vector<std::string> failures{}; ///< what threw, what could not be done
};

/// What a finalization did, and what it left.
///
/// Made whether things went well or not; says the same to a program (the fields) as to a reader (`describe`).
struct finalization_report {
  std::string runtime{};
  std::uint64_t generation = 0;
  std::string why{}; ///< the stop's reason
  std::vector<step_report> steps{};
  std::vector<late_thread> late{};
  std::vector<stream_end> streams{};
  /// Those of which the next two numbers speak, with the reasons they gave; `where` is empty for parked ones.
  /// Shorter than the numbers where there was no memory for it.
  std::vector<late_thread> daemons{};
  std::size_t daemons_parked = 0; ///< asleep for ever inside the library
  std::size_t daemons_left = 0;   ///< still in code of the program; parked when they come back
  std::size_t leaked = 0; ///< objects kept alive for threads or operations that are not proven to be over
  std::size_t untold = 0; ///< failures for whose words there was no memory
  duration took{};
  bool done_before = false; ///< this runtime was finalized already, or is being so; nothing was done

  /// Nothing failed, nothing was late, nothing lost.
  [[nodiscard]] bool clean() const noexcept;
  [[nodiscard]] bool lost_output() const noexcept { return !streams.empty(); }
  [[nodiscard]] bool failed() const noexcept;
  [[nodiscard]] bool was_late() const noexcept;
};

/// Some lines of text.
[[nodiscard]] std::string describe(const finalization_report& what);

} // namespace lastcall
