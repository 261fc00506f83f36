// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Leaves everything to the default action and never has anything to leave behind.
#include <unistd.h>

int main() {
  for (int i = 0; i < 3; ++i)
    if (write(STDOUT_FILENO, "line\n", 5) != 5) return 1;
  return 0;
}
