// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "lifecycle/slow_watch.hpp"
#include "lifecycle/turn.hpp"

#include <lastcall/lifecycle/options.hpp>
#include <lastcall/trace/timeline.hpp>

#include <list>

namespace lastcall::detail {

/// Starts `turns` one after the other on this thread, the owner of the signal_scope, which must have a shield
/// up: until all are started, one fails, or a request is pending before one of them and they go stepwise, or
/// it is the first. Each start is announced to `watch`. Those that were started are appended to `started`,
/// which has room for all. Returns false when one failed.
bool start_all(std::list<turn>& turns, start_policy policy, slow_watch& watch, timeline& events,
               started_turns& started) noexcept;

} // namespace lastcall::detail
