// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A daemon reads standard input, which nobody can make end, and main ends. The same program in Python waits
// for one second and aborts: "could not acquire lock for <_io.BufferedReader name='<stdin>'> at interpreter
// shutdown". Here the daemon is led out of its read, and the process ends at once.
#include "arguments.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/stream/standard_streams.hpp>

using namespace std::chrono_literals;

namespace {

void repeat_what_comes() {
  for (std::string line; lastcall::in().read_line(line);) {
    lastcall::out().write("read: " + line + '\n');
    lastcall::out().flush();
  }
}

void play(std::chrono::milliseconds lasting) {
  const lastcall::daemon_thread reader{"reader", "reads what somebody may type", repeat_what_comes};
  try {
    lastcall::io::sleep_for(lasting);
    lastcall::out().write("main ends\n");
  } catch (const lastcall::interrupted& stop) {
    const lastcall::shield last_words; // the request is still there, and would end a wait for the stream
    lastcall::out().write("stopped by " + std::string{lastcall::signal_name(stop.why().signal).view()} +
                          '\n');
    throw; // on to run(), for which this is a clean stop
  }
}

} // namespace

int main(int argc, char** argv) {
  std::chrono::milliseconds lasting = 1s;
  return example::as_program(argc, argv, "Ends while a daemon reads standard input.",
                             {{"--for", "end after that time (1s)", lasting}},
                             [&] { return lastcall::run([&] { play(lasting); }); });
}
