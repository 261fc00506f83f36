// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: removes a file before its successor is there. Run it where a file `settings` is.
// Expected: leftover (MISSING settings, EMPTY settings).
#include <fcntl.h>
#include <unistd.h>

int main() {
  unlink("settings");
  const int fd = open("settings", O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (fd < 0 || write(fd, "new\n", 4) != 4) return 1;
  return close(fd);
}
