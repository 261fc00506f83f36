// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/report.hpp>

#include "runtime/duration_text.hpp"

#include <algorithm>

namespace lastcall {
namespace {

using detail::duration_text;

std::string text(duration span) { return std::string{duration_text(span).view()}; }

bool failed(const component_report& what) noexcept {
  using enum component_fate;
  return what.fate == start_failed || what.fate == stop_failed || what.fate == abandoned;
}

std::string start_of(const component_report& what) {
  return "started in " + text(what.start_took) + (what.start_was_slow ? " (slow)" : "");
}

std::string fate_of(const component_report& what) {
  const std::string rushed = what.told_no_time ? " with no time left" : "";
  switch (what.fate) {
  case component_fate::never_started: return "was never started";
  case component_fate::start_given_up: return "gave its start up after " + text(what.start_took);
  case component_fate::start_failed:
    return "failed to start after " + text(what.start_took) + ": " + what.error;
  case component_fate::running: return start_of(what);
  case component_fate::stopped: return start_of(what) + ", stopped in " + text(what.stop_took) + rushed;
  case component_fate::stop_failed:
    return start_of(what) + ", failed to stop after " + text(what.stop_took) + rushed + ": " + what.error;
  case component_fate::abandoned:
    return start_of(what) + ", abandoned after " + text(what.stop_took) + " in its stop" + rushed +
           (what.progress.empty() ? "" : ", which last said \"" + what.progress + '"');
  }
  return {};
}

std::string end_of(const ending& end) {
  if (end.signal != 0) return "ends by " + std::string{signal_name(end.signal).view()};
  return "exit status " + std::to_string(end.status);
}

} // namespace

std::string_view name_of(component_fate fate) noexcept {
  switch (fate) {
  case component_fate::never_started: return "never started";
  case component_fate::start_given_up: return "start given up";
  case component_fate::start_failed: return "start failed";
  case component_fate::running: return "running";
  case component_fate::stopped: return "stopped";
  case component_fate::stop_failed: return "stop failed";
  case component_fate::abandoned: return "abandoned";
  }
  return "unknown";
}

bool report::clean() const noexcept {
  return failures.empty() && runtime.clean() && std::ranges::none_of(components, failed);
}

std::string describe(const report& what) {
  std::string lines =
      what.application + ": " + what.why + "; " + text(what.took) + ", " + end_of(what.end) + '\n';
  std::size_t width = 0;
  for (const auto& component : what.components) width = std::max(width, component.name.size());
  for (const auto& component : what.components)
    lines += "  " + component.name + std::string(width - component.name.size() + 1, ' ') +
             fate_of(component) + '\n' + (component.where.empty() ? "" : "    " + component.where + '\n');
  for (const auto& failure : what.failures) lines += "  failure: " + failure + '\n';
  if (!what.runtime.clean()) lines += describe(what.runtime);
  for (const auto& came : what.requests) {
    lines += "  request: " + describe(came);
    if (came.when >= what.began) lines += ", after " + text(came.when - what.began);
    lines += '\n';
  }
  return lines;
}

} // namespace lastcall
