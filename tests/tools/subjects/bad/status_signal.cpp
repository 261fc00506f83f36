// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: ends by another signal than the one that asked.
// Expected: wrong_status (died of SIGKILL, which nobody sent).
#include <csignal>
#include <unistd.h>

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { kill(getpid(), SIGKILL); };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return write(STDOUT_FILENO, "done\n", 5) == 5 ? 0 : 1;
}
