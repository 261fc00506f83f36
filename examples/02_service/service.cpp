// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "service.hpp"

#include <lastcall/interrupt/io.hpp>

using lastcall::event_kind;

// On the thread of main, under the application's shield: a request neither shortens this sleep nor leaves it.
void service::start(lastcall::context& at) {
  lastcall::io::sleep_for(start_pace_ / 2);
  log_.record(event_kind::note, at.name(),
              at.stop_requested() ? "half started; goes on to the end" : "half started");
  lastcall::io::sleep_for(start_pace_ / 2);
}

// On the application's stopper. Told to hurry, by a second Ctrl-C, it leaves out what it can.
void service::stop(lastcall::context& at) {
  const bool in_time = lastcall::io::sleep_for(stop_pace_ / 2, at.token());
  at.progress("half stopped");
  log_.record(event_kind::note, at.name(), in_time ? "half stopped" : "half stopped, in a hurry");
  lastcall::io::sleep_for(stop_pace_ / 2, at.token());
}
