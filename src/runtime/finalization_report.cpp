// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/finalization_report.hpp>

#include "runtime/duration_text.hpp"

#include <algorithm>

namespace lastcall {

std::string_view name_of(finalization_step step) noexcept {
  switch (step) {
  case finalization_step::stop: return "asking to stop";
  case finalization_step::join: return "joining threads";
  case finalization_step::at_exit: return "at_exit";
  case finalization_step::last_words: return "last words";
  case finalization_step::close: return "closing the big lock";
  case finalization_step::daemons: return "ending daemons";
  case finalization_step::in_flight: return "cancelling operations";
  case finalization_step::finalizers: return "finalizers";
  case finalization_step::module_state: return "clearing module state";
  case finalization_step::last_words_again: return "last words again";
  }
  return "an unknown step";
}

bool finalization_report::failed() const noexcept {
  return untold != 0 || std::any_of(steps.begin(), steps.end(),
                                    [](const step_report& one) { return !one.failures.empty(); });
}

bool finalization_report::was_late() const noexcept {
  return !late.empty() ||
         std::any_of(steps.begin(), steps.end(), [](const step_report& one) { return one.late; });
}

bool finalization_report::clean() const noexcept { return !failed() && !was_late() && !lost_output(); }

namespace {

void add_stream(std::string& text, const stream_end& one) {
  text += "  stream " + one.name + ": " + std::to_string(one.written) + " bytes written, " +
          std::to_string(one.lost) + " lost, " + std::to_string(one.uncertain) + " uncertain";
  if (one.error) text += " (" + one.error.message() + ")";
  if (!one.holder.empty()) text += "; its lock is held by " + one.holder;
  text += '\n';
}

constexpr std::size_t most_daemons = 16; ///< that are named in the text; all are in the report

void add_thread(std::string& text, const char* what, const late_thread& one) {
  text += what + (one.name.empty() ? std::string{"a thread without a name"} : one.name);
  if (!one.reason.empty()) text += " (" + one.reason + ")";
  text += '\n';
  if (!one.where.empty()) text += one.where + (one.where.back() == '\n' ? "" : "\n");
}

void add_daemons(std::string& text, const finalization_report& what) {
  if (what.daemons_parked != 0) text += "  daemons parked: " + std::to_string(what.daemons_parked) + '\n';
  if (what.daemons_left != 0)
    text += "  daemons left in code of the program: " + std::to_string(what.daemons_left) + '\n';
  const std::size_t named = std::min(what.daemons.size(), most_daemons);
  for (std::size_t i = 0; i < named; ++i)
    add_thread(text, what.daemons[i].where.empty() ? "  parked: " : "  left: ", what.daemons[i]);
  if (what.daemons.size() > named)
    text += "  … and " + std::to_string(what.daemons.size() - named) + " more\n";
}

} // namespace

std::string describe(const finalization_report& what) {
  if (what.done_before) return "runtime: finalized already\n";
  std::string text = "runtime \"" + what.runtime + "\": " + (what.clean() ? "ended" : "ended badly") +
                     " in " + std::string{detail::duration_text(what.took).view()};
  if (!what.why.empty()) text += ", " + what.why;
  text += '\n';
  for (const auto& step : what.steps) {
    if (step.late) text += "  late: " + std::string{name_of(step.step)} + '\n';
    for (const auto& failure : step.failures)
      text += "  failed: " + std::string{name_of(step.step)} + ": " + failure + '\n';
  }
  for (const auto& one : what.late) add_thread(text, "  late: ", one);
  for (const auto& one : what.streams) add_stream(text, one);
  add_daemons(text, what);
  if (what.untold != 0) text += "  failures without words: " + std::to_string(what.untold) + '\n';
  if (what.leaked != 0) text += "  leaked on purpose: " + std::to_string(what.leaked) + '\n';
  return text;
}

} // namespace lastcall
