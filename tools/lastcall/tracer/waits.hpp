// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/registers.hpp"

namespace checker {

/// How long a system call may sleep, from its number and arguments.
enum class wait_kind {
  none,    ///< it does not sleep in a way that a signal ends
  timed,   ///< it ends by itself at some time
  forever, ///< only an event ends it
};

[[nodiscard]] wait_kind kind_of_wait(const call_entry& entry);

} // namespace checker
