// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A program that is one loop. Press Ctrl-C at any time: the sleep ends at once, the loop says how far it
// came, and the shell sees that the program died of SIGINT. After SIGTERM it is the same, with exit status 0.
#include "arguments.hpp"
#include "say.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/run.hpp>

using namespace std::chrono_literals;

namespace {

void tick(std::chrono::milliseconds pace, long most) {
  long ticks = 0;
  const auto after = [&] { return " after " + std::to_string(ticks) + (ticks == 1 ? " tick" : " ticks"); };
  try {
    while (ticks < most) {
      example::say("tick " + std::to_string(++ticks));
      lastcall::io::sleep_for(pace); // a request is delivered here, also one that came before
    }
    example::say("done" + after());
  } catch (const lastcall::interrupted& stop) {
    example::say("stopped by " + std::string{lastcall::signal_name(stop.why().signal).view()} + after());
    throw; // on to run(), for which this is a clean stop
  }
}

} // namespace

int main(int argc, char** argv) {
  std::chrono::milliseconds pace = 1s, lasting = example::for_ever;
  return example::as_program(argc, argv, "Ticks until it is interrupted.",
                             {{"--pace", "how long a tick takes (1s)", pace},
                              {"--for", "end after that time; without it, never", lasting}},
                             [&] { return lastcall::run([&] { tick(pace, lasting / pace); }); });
}
