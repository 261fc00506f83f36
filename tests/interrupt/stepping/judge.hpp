// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/stepping/stretch.hpp"

#include <lastcall/interrupt/signal_scope.hpp>

#include <csignal>
#include <cstddef>
#include <initializer_list>

namespace stepping {

/// The request was delivered at the first checkpoint that began after the signal, or at the one that was
/// being passed when it came. `checkpoints` are the places (`stretch::at`) from which one is called, those
/// that may deliver, in order.
void judge_promptness(stretch& s, std::initializer_list<int> checkpoints);

/// The request was not lost, whether it was delivered or not: counted once, pending until acknowledged,
/// with its sender, and then gone. `before`: requests that were pending already.
void judge_custody(stretch& s, lastcall::signal_scope& scope, std::size_t before = 0);

/// Two things that belong together. Volatile: each is a write of its own.
struct pair_of_steps {
  volatile int taken = 0;
  volatile int given = 0;
  bool both() const { return taken == 1 && given == 1; }
  bool none() const { return taken == 0 && given == 0; }
};

} // namespace stepping
