// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/process_end.hpp>

#include <lastcall/scope/reason.hpp>

namespace lastcall {

std::string describe(const process_end& end) {
  std::string text;
  switch (end.what) {
  case process_end::how::exited: text = "exited with status " + std::to_string(end.value); break;
  case process_end::how::signalled:
  case process_end::how::dumped:
    text.append("killed by ").append(signal_name(end.value));
    if (end.what == process_end::how::dumped) text += " (core dumped)";
    break;
  case process_end::how::unknown: text = "ended"; break;
  }
  if (end.reaped_elsewhere) text += ", reaped elsewhere";
  return text;
}

} // namespace lastcall
