// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Blocks the signals and reads them from a signalfd.
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

int main() {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, nullptr);
  const int fd = signalfd(-1, &both, SFD_CLOEXEC);
  signalfd_siginfo came{};
  return fd >= 0 && read(fd, &came, sizeof came) == sizeof came ? 0 : 1;
}
