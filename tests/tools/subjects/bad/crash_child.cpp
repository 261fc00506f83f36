// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: the child's handler uses what only the parent has.
// Expected: crash of a child, where the whole process group is asked.
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t parent = 1;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    if (!parent) abort();
    while (wait(nullptr) > 0) {
    }
    _exit(128 + signal);
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    parent = 0;
    _exit(write(STDOUT_FILENO, "child\n", 6) == 6 ? 0 : 1);
  }
  while (wait(nullptr) > 0) {
  }
  return 0;
}
