// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: once asked, it sleeps for much longer than anybody waits.
// Expected: hang (slow): it is in a timed wait at the limit.
#include <csignal>
#include <ctime>
#include <unistd.h>

int main() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    const timespec long_time{.tv_sec = 1000, .tv_nsec = 0};
    nanosleep(&long_time, nullptr);
    _exit(128 + signal);
  };
  sigaction(SIGINT, &action, nullptr);
  return write(STDOUT_FILENO, "done\n", 5) == 5 ? 0 : 1;
}
