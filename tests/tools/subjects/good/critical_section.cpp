// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Changes its file only while signals are blocked and dies by the default action everywhere else.
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

int main() {
  sigset_t both;
  sigset_t old;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  for (char name[] = "part.1"; name[5] <= '2'; ++name[5]) {
    sigprocmask(SIG_BLOCK, &both, &old);
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 1;
    sigprocmask(SIG_SETMASK, &old, nullptr);
  }
  return 0;
}
