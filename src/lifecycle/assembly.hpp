// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "lifecycle/turn.hpp"

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/lifecycle/options.hpp>
#include <lastcall/lifecycle/order.hpp>
#include <lastcall/lifecycle/report.hpp>
#include <lastcall/trace/inline_text.hpp>
#include <lastcall/trace/timeline.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

/// What an application consists of between its runs.
class assembly {
public:
  assembly(std::string its_name, application_options its_options);

  /// Destroys the components, the last to start first. One of them may still call `stop`.
  ~assembly();

  /// Asks the live scope for the stop, or keeps the wish for the scope to come.
  void stop(std::string_view why) noexcept;

  /// From here on `stop` goes to `signals`; what was asked for before goes there at once.
  void connect(signal_scope& signals) noexcept;
  void disconnect() noexcept;

  /// assembling → running → over; back to assembling where a run could not begin.
  enum class state : std::uint8_t { assembling, running, over };

  const std::string name;
  const application_options options;
  lastcall::order graph;
  std::vector<part> parts; ///< by index in `graph`
  timeline events;
  report last;
  std::atomic<state> now{state::assembling};

private:
  timeline::sink_handle sink_;
  // Held for a few instructions, and while `request_stop` hands over to the herald; never while a function of
  // the user runs. Not to be taken by a signal handler.
  std::mutex mutex_;
  signal_scope* signals_ = nullptr;
  std::optional<inline_text<96>> asked_;
};

} // namespace lastcall::detail
