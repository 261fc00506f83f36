// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A helper that waits for ever, and does not notice when its parent is gone. The parent says "r" once the
// helper waits or is about to, ends it, and survives that somebody else does.
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  const pid_t helper = ::fork();
  if (helper == 0)
    for (;;) ::pause();
  if (::write(1, "r", 1) != 1) return 1;
  ::kill(helper, SIGKILL);
  return ::waitpid(helper, nullptr, 0) == helper ? 0 : 2;
}
