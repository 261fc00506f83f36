// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: stops half-way and reports success.
// Expected: wrong_status (exit 0 though its work is not done). Each file is whole, so there is no leftover.
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
  for (char name[] = "part.1"; name[5] <= '3' && !stop; ++name[5]) {
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 1;
  }
  return 0;
}
