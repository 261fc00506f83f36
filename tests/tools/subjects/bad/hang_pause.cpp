// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: looks at the flag, then sleeps. A request between the two is seen by neither: it waits for ever.
// Expected: hang, at *before* only. Delivered during or after the call it ends as it should.
#include <csignal>
#include <unistd.h>

static volatile sig_atomic_t stop = 0;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  while (!stop) pause();
  return 0;
}
