// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/verdict.hpp"

#include "subject/signal_name.hpp"

namespace checker {

std::string_view to_string(verdict what) noexcept {
  switch (what) {
  case verdict::hang: return "hang";
  case verdict::crash: return "crash";
  case verdict::wrong_status: return "wrong_status";
  case verdict::survivor: return "survivor";
  case verdict::leftover: return "leftover";
  case verdict::rerun_failed: return "rerun_failed";
  case verdict::noise: return "noise";
  case verdict::verify_failed: return "verify_failed";
  }
  return "?";
}

std::string to_string(const ending& end) {
  switch (end.how) {
  case ending::how::exited: return "exit " + std::to_string(end.value);
  case ending::how::signaled: return "SIG" + signal_name(end.value);
  case ending::how::hung: return "hung";
  }
  return "?";
}

} // namespace checker
