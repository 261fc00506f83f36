// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Two helper processes that end when their manager's end of a pipe closes, however the manager ends. The
// manager waits for a request, closes the pipe, reaps them and ends by the signal. Helpers ignore requests:
// their manager decides.
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, nullptr);
  int alive[2];
  if (pipe2(alive, O_CLOEXEC) != 0) return 1;
  for (int i = 0; i < 2; ++i) {
    if (fork() != 0) continue;
    close(alive[1]);
    char byte = 0;
    while (read(alive[0], &byte, 1) > 0) {
    }
    _exit(0);
  }
  int number = 0;
  sigwait(&both, &number);
  close(alive[1]);
  while (wait(nullptr) > 0) {
  }
  signal(number, SIG_DFL);
  sigprocmask(SIG_UNBLOCK, &both, nullptr);
  raise(number);
  return 1;
}
