// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: a lock file that nobody removes after a death; the next run refuses to work.
// Expected: leftover (STRAY work.lock) and rerun_failed.
#include <fcntl.h>
#include <unistd.h>

int main() {
  const int lock = open("work.lock", O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (lock < 0) return 75;
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  return unlink("work.lock") == 0 ? 0 : 1;
}
