// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/event.hpp>
#include <lastcall/wait/clock.hpp>

/// Prints each event as it happens: when, whom it concerns, what.
class event_printer {
public:
  void operator()(const lastcall::event& what) const;

private:
  lastcall::time_point begin_ = lastcall::clock::now();
};
