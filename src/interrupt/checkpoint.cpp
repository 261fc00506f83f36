// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>

#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"

namespace lastcall::detail {

namespace {

std::optional<request> due_here() noexcept {
  signal_core* core = here().core;
  if (core == nullptr) return std::nullopt;
  if (core->process() != sys::getpid()) {
    // A forked child: the request was its parent's, and the locks of the scope may be held by threads
    // that do not exist here.
    here().due.store(0, std::memory_order_relaxed);
    return std::nullopt;
  }
  return core->take_due();
}

} // namespace

void checkpoint_slow() {
  if (const auto due = due_here()) throw interrupted{*due};
}

void checkpoint_slow(std::error_code& error) noexcept {
  if (due_here())
    error = stop_errc::interrupted;
  else
    error.clear();
}

} // namespace lastcall::detail
