// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A runtime begins, daemons take turns on the big lock and write to a stream, it ends; then the next one, in
// the same process. What belonged to a round is gone before the next begins: its daemons are led out
// wherever they were, its finalizer has been called, its state is made afresh. Press Ctrl-C in the middle of
// a round: that one still ends in order.
#include "arguments.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/module_state.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include <csignal>
#include <mutex>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

struct settings {
  long rounds = 3;
  long daemons = 8;
  std::chrono::milliseconds pace = 1s;
};

struct turns {
  long taken = 0; // under the big lock
};
constinit lastcall::module_state<turns> of_this_round{"turns"};

// The end of the runtime comes anywhere in here: at the lock, in the sleep, in `get`, in `write`.
void take_turns(const std::string& who) {
  std::unique_lock turn{lastcall::the_big_lock()};
  lastcall::out().write(who + " plays\n");
  lastcall::out().flush();
  for (;;) {
    ++of_this_round.get().taken;
    lastcall::io::sleep_for(1ms); // others have the lock meanwhile
  }
}

void play(const std::string& round, const settings& set) {
  std::vector<lastcall::daemon_thread> daemons;
  lastcall::runtime runtime{{.name = round}};
  const lastcall::finalizer last{[&] { lastcall::out().write(round + ": over\n"); }};
  for (long i = 1; i <= set.daemons; ++i)
    daemons.emplace_back("player", "it plays as long as it may",
                         [who = round + ": " + std::to_string(i)] { take_turns(who); });

  lastcall::io::sleep_for(set.pace); // a request is delivered here; the runtime then ends on the way out
  if (!runtime.finalize().clean()) throw std::runtime_error(round + " did not end well");
  for (auto& one : daemons)
    if (!one.join(lastcall::deadline::after(10s))) throw std::runtime_error(round + " left a daemon behind");
}

int play_all(const settings& set) {
  lastcall::signal_scope signals;
  int stopped_by = 0;
  try {
    for (long i = 1; i <= set.rounds; ++i) play("round " + std::to_string(i), set);
    lastcall::out().write("done\n");
  } catch (const lastcall::interrupted& stop) {
    stopped_by = stop.why().signal;
    signals.acknowledge();
    lastcall::out().write("stopped by " + std::string{lastcall::signal_name(stopped_by).view()} + '\n');
  }
  signals.close();
  if (stopped_by == SIGINT) lastcall::end_by_signal(SIGINT); // nothing is buffered: no runtime is live
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(argc, argv, "Begins and ends a runtime with daemons in it, again and again.",
                             {{"--rounds", "how many there are (3)", set.rounds},
                              {"--daemons", "how many play in each (8)", set.daemons},
                              {"--pace", "how long a round takes (1s)", set.pace}},
                             [&] { return play_all(set); });
}
