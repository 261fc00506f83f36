// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: two files that belong together are changed one after the other. Run it where `a` and `b` hold "1",
// with --verify 'cmp -s a b'. Each file alone is always whole, so only the user's own check can know.
// Expected: verify_failed.
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

int main() {
  for (const char* name : {"a", "b"}) {
    const int fd = open(name, O_WRONLY);
    if (fd < 0 || pwrite(fd, "2", 1, 0) != 1 || close(fd) != 0) return 1;
  }
  return 0;
}
