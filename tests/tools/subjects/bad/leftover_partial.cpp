// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: writes its output in place, in two pieces.
// Expected: leftover (EMPTY out, PARTIAL out).
#include <fcntl.h>
#include <unistd.h>

int main() {
  const int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, "first\n", 6) != 6 || write(fd, "second\n", 7) != 7) return 1;
  return close(fd);
}
