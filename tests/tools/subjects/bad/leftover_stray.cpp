// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: writes a temporary file beside its output and dies without removing it.
// Expected: leftover (STRAY out.tmp).
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

int main() {
  const int fd = open("out.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 1;
  return rename("out.tmp", "out") == 0 ? 0 : 1;
}
