// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: leaves its temporary file, whose name is random, in $TMPDIR.
// Expected: leftover (STRAY $TMPDIR/work.XXXXXX), all in one group.
#include <cstdlib>
#include <string>
#include <unistd.h>

int main() {
  const char* directory = getenv("TMPDIR");
  std::string name = std::string(directory ? directory : "/tmp") + "/work.XXXXXX";
  const int fd = mkstemp(name.data());
  if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 1;
  return unlink(name.c_str()) == 0 ? 0 : 1;
}
