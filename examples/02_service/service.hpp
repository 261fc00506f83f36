// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/context.hpp>
#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/clock.hpp>

/// A service whose start and stop take a while, in two halves. Cut between them it would be neither started
/// nor stopped: an open connection, a half-written file. Neither is ever cut.
class service {
public:
  service(lastcall::timeline& log, lastcall::duration start_pace, lastcall::duration stop_pace)
      : log_{log}, start_pace_{start_pace}, stop_pace_{stop_pace} {}

  void start(lastcall::context& at);
  void stop(lastcall::context& at);

private:
  lastcall::timeline& log_;
  lastcall::duration start_pace_;
  lastcall::duration stop_pace_;
};
