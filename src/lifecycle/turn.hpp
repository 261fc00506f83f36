// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/bell.hpp"

#include <lastcall/lifecycle/component.hpp>
#include <lastcall/lifecycle/context.hpp>
#include <lastcall/lifecycle/report.hpp>
#include <lastcall/wait/clock.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace lastcall::detail {

/// A component as the application was told of it.
struct part {
  std::unique_ptr<any_component> object;
  std::optional<duration> stop_within;
};

/// A component during one run. All of it is made before the first start, so that a stop finds it there.
struct turn {
  turn(part& from, component_report& said_of_it, std::stop_token asked)
      : it{from},
        said{said_of_it},
        starting{said.name, std::move(asked)},
        stopping{said.name, hurry.get_token()} {}

  part& it;
  component_report& said; ///< the owner's
  std::stop_source hurry; ///< the token of `stopping`
  context starting;
  context stopping;
  std::atomic<bool> stop_begun{false};
  bell begun; ///< rung after `stop_begun`; one of its own, so that a stop in time wakes the owner once
  std::optional<std::string> stop_error; ///< the stopper's, until it is idle again
};

/// Those that were started, oldest first.
using started_turns = std::vector<turn*>;

} // namespace lastcall::detail
