// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/signal_name.hpp"

#include <csignal>
#include <cstring>

namespace checker {

std::string signal_name(int signal) {
  if (signal >= SIGRTMIN && signal <= SIGRTMAX)
    return signal == SIGRTMIN ? "RTMIN" : "RTMIN+" + std::to_string(signal - SIGRTMIN);
  const char* name = ::sigabbrev_np(signal);
  return name ? name : std::to_string(signal);
}

bool is_crash(int signal) noexcept {
  switch (signal) {
  case SIGSEGV:
  case SIGABRT:
  case SIGBUS:
  case SIGILL:
  case SIGFPE:
  case SIGTRAP:
  case SIGSYS: return true;
  default: return false;
  }
}

} // namespace checker
