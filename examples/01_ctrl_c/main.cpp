// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A program that is one loop. Press Ctrl-C at any time: the sleep ends at once, the loop says how far it
// came, and the shell sees that the program died of SIGINT. After SIGTERM it is the same, with exit status 0.
#include "arguments.hpp"
#include "say.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/run.hpp>

#include <chrono>
#include <exception>
#include <optional>

using namespace std::chrono_literals;

namespace {

struct settings {
  std::chrono::milliseconds pace = 1s;
  std::optional<std::chrono::milliseconds> lasting;
};

std::string after(long long ticks) {
  return " after " + std::to_string(ticks) + (ticks == 1 ? " tick" : " ticks");
}

void tick(const settings& set) {
  // As many ticks as fit, instead of a look at the clock: the same command says the same each time.
  const auto most = set.lasting ? *set.lasting / set.pace : 0;
  long long ticks = 0;
  try {
    while (!set.lasting || ticks < most) {
      example::say("tick " + std::to_string(++ticks));
      lastcall::io::sleep_for(set.pace); // a request is delivered here, also one that came before
    }
    example::say("done" + after(ticks));
  } catch (const lastcall::interrupted& stop) {
    example::say("stopped by " + std::string{lastcall::signal_name(stop.why().signal).view()} + after(ticks));
    throw; // on to run(), for which this is a clean stop
  }
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  int status = 0;
  if (!example::read(argc, argv, "Ticks until it is interrupted.",
                     {{"--pace", "DURATION", "how long a tick takes (1s)",
                       [&](auto text) { set.pace = example::duration_of(text); }},
                      {"--for", "DURATION", "end after that time; without it, never",
                       [&](auto text) { set.lasting = example::duration_of(text); }}},
                     status))
    return status;
  try {
    return lastcall::run([&] { tick(set); });
  } catch (const std::exception& error) { // the system refused a thread or a descriptor
    std::fprintf(stderr, "01_ctrl_c: %s\n", error.what());
    return 70;
  }
}
