// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/trace/event.hpp>

namespace lastcall {

std::string_view name_of(event_kind kind) noexcept {
  switch (kind) {
  case event_kind::request: return "request";
  case event_kind::ladder: return "ladder";
  case event_kind::delivery: return "delivery";
  case event_kind::shield: return "shield";
  case event_kind::listener: return "listener";
  case event_kind::phase: return "phase";
  case event_kind::start_begin: return "start begins";
  case event_kind::start_end: return "start ends";
  case event_kind::stop_begin: return "stop begins";
  case event_kind::stop_end: return "stop ends";
  case event_kind::progress: return "progress";
  case event_kind::late: return "late";
  case event_kind::abandoned: return "abandoned";
  case event_kind::failure: return "failure";
  case event_kind::note: return "note";
  }
  return "unknown";
}

} // namespace lastcall
