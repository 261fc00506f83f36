// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>

#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"

namespace lastcall::detail {

namespace {

// The scope this thread owns, in the process that made it.
signal_core* core_here() noexcept {
  signal_core* core = here().core;
  if (core == nullptr || core->process() == sys::getpid()) return core;
  // A forked child: the request was its parent's, and the locks of the scope may be held by threads that do
  // not exist here.
  here().due.store(0, std::memory_order_relaxed);
  return nullptr;
}

std::optional<request> due_here() noexcept {
  signal_core* core = core_here();
  return core != nullptr ? core->take_due() : std::nullopt;
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

bool pending_slow() noexcept {
  signal_core* core = core_here();
  return core != nullptr && core->confirm_due();
}

} // namespace lastcall::detail
