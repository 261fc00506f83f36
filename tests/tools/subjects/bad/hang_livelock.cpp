// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: once asked, it spins until a worker that is no longer there has seen the request.
// Expected: hang (livelock): it uses the processor for ever.
#include <csignal>
#include <unistd.h>

static volatile sig_atomic_t stop = 0;
static volatile sig_atomic_t seen = 0;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  for (int i = 0; i < 3; ++i) {
    if (write(STDOUT_FILENO, "work\n", 5) != 5) return 1;
    while (stop && !seen) {
    }
  }
  return 0;
}
