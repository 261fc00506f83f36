// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: the handler frees what the program frees itself.
// Expected: crash (SIGABRT) and noise (glibc's message about a double free).
#include <csignal>
#include <cstdlib>
#include <unistd.h>

static void* volatile buffer = nullptr;

int main() {
  buffer = malloc(5000);
  struct sigaction action {};
  action.sa_handler = [](int) { free(buffer); };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  void* small = malloc(24);
  buffer = small;
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  free(buffer);
  return 0;
}
