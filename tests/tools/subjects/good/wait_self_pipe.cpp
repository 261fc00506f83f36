// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Waits for a request through a pipe that the handler writes: what came before the wait is still in the pipe.
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static int ends[2];

int main() {
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return 1;
  struct sigaction action {};
  action.sa_handler = [](int) {
    if (write(ends[1], "", 1) != 1) _exit(1);
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  pollfd asked{.fd = ends[0], .events = POLLIN, .revents = 0};
  while (poll(&asked, 1, -1) != 1) {
  }
  return 0;
}
