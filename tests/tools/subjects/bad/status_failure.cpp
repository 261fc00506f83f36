// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: completes all its work and reports a failure.
// Expected: wrong_status (exit 1 though all its work is done).
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

static volatile sig_atomic_t stop = 0;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  const int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 2;
  return stop ? 1 : 0;
}
