// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/reason.hpp>

#include <cstdio>
#include <cstring>

#include <signal.h>

namespace lastcall {

std::string_view name_of(cause what) noexcept {
  switch (what) {
  case cause::signal: return "signal";
  case cause::call: return "call";
  case cause::parent_death: return "parent death";
  case cause::deadline: return "deadline";
  }
  return "unknown";
}

inline_text<24> signal_name(int signal) noexcept {
  char text[24];
  const char* abbreviation = ::sigabbrev_np(signal);
  if (abbreviation != nullptr)
    std::snprintf(text, sizeof text, "SIG%s", abbreviation);
  else if (signal >= SIGRTMIN && signal <= SIGRTMAX)
    std::snprintf(text, sizeof text, "SIGRTMIN+%d", signal - SIGRTMIN);
  else
    std::snprintf(text, sizeof text, "signal %d", signal);
  return std::string_view{text};
}

std::string describe(const reason& why) {
  std::string line;
  if (why.cause == cause::signal) {
    line.append(signal_name(why.signal));
    if (why.sender_pid != 0)
      line.append(" from pid ")
          .append(std::to_string(why.sender_pid))
          .append(" (uid ")
          .append(std::to_string(why.sender_uid))
          .append(")");
  } else {
    line.append(name_of(why.cause));
  }
  if (!why.text.empty()) line.append(": ").append(why.text);
  if (why.count > 1) line.append(", ").append(std::to_string(why.count)).append(" times");
  return line;
}

} // namespace lastcall
