// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: dies without its helper process, which then stays for ever.
// Expected: survivor.
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  const pid_t helper = fork();
  if (helper < 0) return 1;
  if (helper == 0)
    for (;;) pause();
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  kill(helper, SIGKILL);
  waitpid(helper, nullptr, 0);
  return 0;
}
