// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: prints a part of its output and reports success.
// Expected: wrong_status (exit 0 though its output is cut short).
#include <csignal>
#include <unistd.h>

static volatile sig_atomic_t stop = 0;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  for (int i = 0; i < 3 && !stop; ++i)
    if (write(STDOUT_FILENO, "line\n", 5) != 5) return 1;
  return 0;
}
