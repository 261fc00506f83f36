// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Two services that take a while to start and to stop. Press Ctrl-C at any time, once, twice or three times,
// and read what happens. With `--start stepwise` a Ctrl-C during the first start leaves the second out; with
// `whole` both are started first and then stopped.
#include "arguments.hpp"
#include "say.hpp"
#include "service.hpp"

#include <lastcall/lifecycle/application.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <optional>

using namespace std::chrono_literals;

namespace {

struct settings {
  std::chrono::milliseconds pace = 1s;
  std::optional<std::chrono::milliseconds> lasting;
  lastcall::start_policy start = lastcall::start_policy::whole;
};

lastcall::start_policy policy_of(std::string_view text) {
  if (text == "whole") return lastcall::start_policy::whole;
  if (text == "stepwise") return lastcall::start_policy::stepwise;
  throw example::usage_error("'" + std::string{text} + "' is no way to start; there are whole and stepwise");
}

/// Prints each event as it happens: when, whom it concerns, what.
auto printer() {
  return [begin = lastcall::clock::now()](const lastcall::event& what) {
    if (what.kind == lastcall::event_kind::ladder && what.name == "request")
      return; // the request itself is printed
    std::array<char, 32> time{};
    const double elapsed = std::chrono::duration<double>(what.when - begin).count();
    std::snprintf(time.data(), time.size(), "%8.3f s  ", elapsed);
    std::string line{time.data()};
    switch (what.kind) {
    case lastcall::event_kind::request: line.append("*** ").append(what.detail.view()); break;
    case lastcall::event_kind::ladder: line.append("*** ladder: ").append(what.name.view()); break;
    default: line.append(what.name.view()).append(": ").append(what.detail.view());
    }
    example::say(std::move(line));
  };
}

int serve(const settings& set) {
  lastcall::application app{"02_service",
                            {.grace = 25s, .start = set.start, .slow_start = 5s, .log = printer()}};
  auto store = app.add<service>("store", app.events(), set.pace);
  app.add<service>("server", app.events(), set.pace).after(store);
  return set.lasting ? app.run_for(*set.lasting) : app.run();
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  int status = 0;
  if (!example::read(
          argc, argv, "Starts two services, runs until it is interrupted, and stops them.",
          {{"--pace", "DURATION", "how long each start and each stop takes (1s)",
            [&](auto text) { set.pace = example::duration_of(text); }},
           {"--for", "DURATION", "stop after running for that time; without it, never",
            [&](auto text) { set.lasting = example::duration_of(text); }},
           {"--start", "POLICY", "a Ctrl-C during the start waits for all starts: whole; for one: stepwise",
            [&](auto text) { set.start = policy_of(text); }}},
          status))
    return status;
  try {
    return serve(set);
  } catch (const std::exception& error) { // the system refused a thread or a descriptor
    std::fprintf(stderr, "02_service: %s\n", error.what());
    return 70;
  }
}
