// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Two asynchronous services, whose starts and stops take a while, over a loop and a pool of threads, which
// are components like them. Press Ctrl-C at any time, once, twice or three times, and read what happens:
// nothing is cancelled all at once; each is stopped in its turn, and the loop is there until the last of them
// has.
#include "../02_service/event_printer.hpp"
#include "arguments.hpp"
#include "services.hpp"

#include <lastcall/lifecycle/application.hpp>
#include <lastcall/task/async_component.hpp>

#include <exception>
#include <string>

using namespace std::chrono_literals;

namespace {

struct settings {
  std::chrono::milliseconds pace = 1s;
  std::chrono::milliseconds lasting = example::for_ever;
  lastcall::start_policy start = lastcall::start_policy::whole;
  update_kind update = update_kind::shielded;
};

lastcall::start_policy policy_of(std::string_view text) {
  if (text == "whole") return lastcall::start_policy::whole;
  if (text == "stepwise") return lastcall::start_policy::stepwise;
  throw example::usage_error("'" + std::string{text} + "' is no way to start; there are whole and stepwise");
}

update_kind kind_of(std::string_view text) {
  if (text == "shielded") return update_kind::shielded;
  if (text == "plain") return update_kind::plain;
  if (text == "failing") return update_kind::failing;
  throw example::usage_error("'" + std::string{text} +
                             "' is no kind of update; there are shielded, plain and failing");
}

/// What the loop's exception handler does with what nobody awaits: it is told, and the program goes on.
void tell(lastcall::timeline& log, const lastcall::loop_exception& what) {
  std::string text{what.where};
  try {
    std::rethrow_exception(what.error);
  } catch (const std::exception& error) {
    text.append(" failed: ").append(error.what());
  } catch (...) {
    text += " failed";
  }
  log.record(lastcall::event_kind::failure, what.loop, text);
}

int serve(const settings& set) {
  lastcall::application app{"07_async_service", {.grace = 25s, .start = set.start, .log = event_printer{}}};
  const surroundings around{app.events(), set.pace};

  auto pool = app.add<workers>("workers");
  lastcall::loop_options options{.name = "loop"};
  options.on_exception = [&](const lastcall::loop_exception& what) { tell(app.events(), what); };
  auto loop = app.add<lastcall::loop_thread>("loop", std::move(options)).after(pool);
  auto first = app.add<lastcall::in_loop<calculator>>("calculator", *loop, around, *pool).after(loop, pool);
  app.add<lastcall::in_loop<updater>>("updater", *loop, around, set.update).after(loop, first);

  return app.run_for(set.lasting);
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(
      argc, argv, "Starts two asynchronous services, runs until it is interrupted, and stops them in order.",
      {{"--pace", "how long each start, stop and update takes (1s)", set.pace},
       {"--for", "stop after running for that time; without it, never", set.lasting},
       {"--start", "POLICY", "a Ctrl-C during the start waits for all starts: whole; for one: stepwise",
        [&](auto text) { set.start = policy_of(text); }},
       {"--update", "KIND", "what a stop finds the update to be: shielded, plain or failing",
        [&](auto text) { set.update = kind_of(text); }}},
      [&] { return serve(set); });
}
