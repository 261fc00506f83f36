// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: answers a request with a traceback instead of a message.
// Expected: noise. Its status, 128 + signal, is fine.
#include <csignal>
#include <unistd.h>

int main() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    const char text[] =
        "Traceback (most recent call last):\n  File \"work\", line 12, in main\nKeyboardInterrupt\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    _exit(128 + signal);
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return write(STDOUT_FILENO, "done\n", 5) == 5 ? 0 : 1;
}
