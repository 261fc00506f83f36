// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: the handler is installed before what it uses exists.
// Expected: crash (SIGSEGV), for requests between the two.
#include <csignal>
#include <unistd.h>

struct state {
  int stop = 0;
};
static state* volatile current = nullptr;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { current->stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (write(STDOUT_FILENO, "starting\n", 9) != 9) return 1;
  state mine;
  current = &mine;
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  return mine.stop ? 130 : 0;
}
