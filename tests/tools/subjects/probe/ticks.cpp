// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Never ends by itself and never waits for long: wakes up every fifty milliseconds.
#include <csignal>
#include <unistd.h>

namespace {
volatile std::sig_atomic_t stop = 0;
extern "C" void on_signal(int /*signal*/) { stop = 1; }
} // namespace

int main() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  while (stop == 0) ::usleep(50'000);
  (void)!::write(1, "stopped", 7);
  return 0;
}
