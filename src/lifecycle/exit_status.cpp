// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/exit_status.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace lastcall {

namespace {

/// A parent sees the lowest eight bits of a status. Where they are 0 it would take a failure for success.
int honest(int status, const exit_statuses& statuses) noexcept {
  if (const int seen = status & 0xff; seen != 0) return seen;
  return statuses.failed != 0 ? statuses.failed : 1;
}

} // namespace

ending ending_of(const outcome& what, const exit_statuses& statuses) {
  if (what.abandoned && statuses.deadline_passed != 0) return {statuses.deadline_passed};
  if (what.failed && statuses.failed != 0) return {statuses.failed};
  if (what.output_lost && statuses.output_lost != 0) return {statuses.output_lost};
  if (what.returned != 0) return {honest(what.returned, statuses)};
  const auto by = std::ranges::find_if(what.signals, [&](int signal) {
    return std::ranges::find(statuses.by_signal, signal) != statuses.by_signal.end();
  });
  if (by != what.signals.end()) return {128 + *by, *by};
  return {};
}

void require_valid(const exit_statuses& statuses) {
  for (const int status : {statuses.failed, statuses.output_lost, statuses.deadline_passed})
    if (status < 0 || status > 255)
      throw std::logic_error("exit status " + std::to_string(status) + " is not in 0 to 255");
  for (const int signal : statuses.by_signal)
    if (signal < 1 || signal >= NSIG)
      throw std::logic_error("exit_statuses::by_signal: " + std::to_string(signal) + " is not a signal");
}

} // namespace lastcall
