// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Writes beside its output and renames. The temporary file is created with signals blocked, so that the
// handler always knows whether there is one; the handler removes it and dies by the signal.
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

static volatile sig_atomic_t temporary = 0;

int main() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (temporary) unlink("out.tmp");
    signal(number, SIG_DFL);
    raise(number);
  };
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  sigset_t old;
  sigprocmask(SIG_BLOCK, &action.sa_mask, &old);
  const int fd = open("out.tmp", O_WRONLY | O_CREAT | O_EXCL, 0644);
  temporary = fd >= 0;
  sigprocmask(SIG_SETMASK, &old, nullptr);
  if (fd < 0 || write(fd, "text\n", 5) != 5 || close(fd) != 0) return 1;
  sigprocmask(SIG_BLOCK, &action.sa_mask, &old);
  const bool done = rename("out.tmp", "out") == 0;
  temporary = 0;
  return done ? 0 : 1; // with the signals blocked: from here on a request is too late
}
