// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A runtime begins, daemons work in it, it ends; then the next one, in the same process. What belonged to a
// round is gone before the next begins: its daemons are led out wherever they were, its finalizer has been
// called, its state is made afresh. Press Ctrl-C in the middle of a round: that one still ends in order.
#include "arguments.hpp"
#include "say.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/module_state.hpp>
#include <lastcall/runtime/runtime.hpp>

#include <atomic>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

struct settings {
  long rounds = 3;
  long daemons = 8;
  std::chrono::milliseconds pace = 1s;
};

struct turns {
  std::atomic<long> taken{0};
};
constinit lastcall::module_state<turns> of_this_round{"turns"};

void take_turns() {
  for (;;) {
    ++of_this_round.get().taken;
    lastcall::io::sleep_for(1ms); // the end of the runtime is noticed here, or in `get`
  }
}

void play(const std::string& name, const settings& set) {
  std::vector<lastcall::daemon_thread> daemons;
  lastcall::runtime runtime{{.name = name}};
  const lastcall::finalizer last{[&] { example::say(name + ": over"); }};
  for (long i = 0; i < set.daemons; ++i)
    daemons.emplace_back("player", "it plays as long as it may", take_turns);
  example::say(name + ": " + std::to_string(set.daemons) + " daemons");

  lastcall::io::sleep_for(set.pace); // a request is delivered here; the runtime then ends on the way out
  if (!runtime.finalize().clean()) throw std::runtime_error(name + " did not end well");
  for (auto& one : daemons)
    if (!one.join(lastcall::deadline::after(10s))) throw std::runtime_error(name + " left a daemon behind");
}

void play_all(const settings& set) {
  try {
    for (long i = 1; i <= set.rounds; ++i) play("round " + std::to_string(i), set);
    example::say("done");
  } catch (const lastcall::interrupted& stop) {
    example::say("stopped by " + std::string{lastcall::signal_name(stop.why().signal).view()});
    throw; // on to run(), for which this is a clean stop
  }
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(argc, argv, "Begins and ends a runtime with daemons in it, again and again.",
                             {{"--rounds", "how many there are (3)", set.rounds},
                              {"--daemons", "how many play in each (8)", set.daemons},
                              {"--pace", "how long a round takes (1s)", set.pace}},
                             [&] { return lastcall::run([&] { play_all(set); }); });
}
