// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/clock.hpp>

#include <cstdint>
#include <string_view>

namespace lastcall {

/// What an event of the timeline is about.
enum class event_kind : std::uint8_t {
  request,     ///< somebody asked the program to stop
  ladder,      ///< the ladder moved up a step
  delivery,    ///< a request was delivered at a checkpoint
  shield,      ///< a shield held a request back, or ran out
  listener,    ///< a listener or posted call failed
  phase,       ///< the application as a whole moved on
  start_begin, ///< a component's start was called
  start_end,   ///< … and returned or threw
  stop_begin,  ///< a component's stop was called
  stop_end,    ///< … and returned or threw
  progress,    ///< a component said how far it is
  late,        ///< somebody is past a time that was promised
  abandoned,   ///< somebody was left behind
  failure,     ///< something failed; the detail says what
  note         ///< anything else
};

/// The kind as a word, for reports.
std::string_view name_of(event_kind kind) noexcept;

/// One thing that happened. A value of fixed size, so that recording one never allocates.
struct event {
  time_point when{};
  event_kind kind = event_kind::note;
  inline_text<56> name;    ///< whom it concerns: a component, a signal, a gate
  inline_text<160> detail; ///< the rest, for people
};

} // namespace lastcall
