// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>

#include "interrupt/point_probe.hpp"
#include "interrupt/runtime_hooks.hpp"
#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"

namespace lastcall::detail {

constinit std::atomic<const runtime_hooks*> the_runtime_hooks{nullptr};

signal_core* core_here() noexcept {
  signal_core* core = here().core;
  if (core == nullptr || core->process() == sys::this_incarnation()) return core;
  // A forked child: the request was its parent's, and the locks of the scope may be held by threads that do
  // not exist here.
  here().due.fetch_and(~bits_of_scope, std::memory_order_relaxed);
  return nullptr;
}

namespace {

// Only a test has one.
thread_local constinit point_probe* the_probe = nullptr;

// The runtime's bits go first: on a thread whose runtime has ended there is nothing else to deliver.
void answer_runtime(at_point how) {
  constexpr std::uint32_t of_runtime = runtime_over | lock_wanted;
  const std::uint32_t due =
      here().due.load(std::memory_order_acquire); // pairs with the releases that set them
  if ((due & of_runtime) == 0) return;
  const runtime_hooks* up = the_runtime_hooks.load(std::memory_order_acquire); // pairs with the store there
  if (up != nullptr) up->answer(due & of_runtime, how);
}

std::optional<request> due_here() noexcept {
  if ((here().due.load(std::memory_order_relaxed) & points_counted) != 0 && the_probe != nullptr)
    the_probe->reached();
  signal_core* core = core_here();
  return core != nullptr ? core->take_due() : std::nullopt;
}

} // namespace

void set_probe(point_probe* probe) noexcept {
  the_probe = probe;
  // Relaxed: for this thread itself.
  if (probe != nullptr)
    here().due.fetch_or(points_counted, std::memory_order_relaxed);
  else
    here().due.fetch_and(~std::uint32_t{points_counted}, std::memory_order_relaxed);
}

void checkpoint_slow() {
  answer_runtime(at_point::may_throw);
  if (const auto due = due_here()) throw interrupted{*due};
}

void checkpoint_slow(std::error_code& error) noexcept {
  answer_runtime(at_point::must_not_throw);
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
