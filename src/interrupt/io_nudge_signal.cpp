// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/nudge_signal.hpp>

#include "wait/nudge_signal.hpp"

#include <stdexcept>
#include <string>

namespace lastcall::io {

void prefer_nudge_signal(int signal) {
  if (!wait::can_be_nudge_signal(signal))
    throw std::invalid_argument{"prefer_nudge_signal: " + std::to_string(signal) + " is no real-time signal"};
  wait::prefer_nudge_signal(signal);
}

} // namespace lastcall::io
