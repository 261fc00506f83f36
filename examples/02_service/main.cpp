// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Two services that take a while to start and to stop. Press Ctrl-C at any time, once, twice or three times,
// and read what happens. With `--start stepwise` a Ctrl-C during the first start leaves the second out; with
// `whole` both are started first and then stopped.
#include "arguments.hpp"
#include "event_printer.hpp"
#include "service.hpp"

#include <lastcall/lifecycle/application.hpp>

using namespace std::chrono_literals;

namespace {

struct settings {
  std::chrono::milliseconds pace = 1s;
  std::chrono::milliseconds stop_pace = example::same;
  std::chrono::milliseconds lasting = example::for_ever;
  lastcall::start_policy start = lastcall::start_policy::whole;
};

lastcall::start_policy policy_of(std::string_view text) {
  if (text == "whole") return lastcall::start_policy::whole;
  if (text == "stepwise") return lastcall::start_policy::stepwise;
  throw example::usage_error("'" + std::string{text} + "' is no way to start; there are whole and stepwise");
}

int serve(const settings& set) {
  lastcall::application app{"02_service", {.grace = 25s, .start = set.start, .log = event_printer{}}};
  const auto stop_pace = set.stop_pace == example::same ? set.pace : set.stop_pace;

  auto store = app.add<service>("store", app.events(), set.pace, stop_pace);
  app.add<service>("server", app.events(), set.pace, stop_pace).after(store);

  return app.run_for(set.lasting);
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(
      argc, argv, "Starts two services, runs until it is interrupted, and stops them.",
      {{"--pace", "how long each start and each stop takes (1s)", set.pace},
       {"--stop-pace", "how long each stop takes, where it differs", set.stop_pace},
       {"--for", "stop after running for that time; without it, never", set.lasting},
       {"--start", "POLICY", "a Ctrl-C during the start waits for all starts: whole; for one: stepwise",
        [&](auto text) { set.start = policy_of(text); }}},
      [&] { return serve(set); });
}
