// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Has a child that computes without a pause: until its parent has died, then for 0.4 seconds, then it ends.
// A parent that is left alone ends it.
#include <array>
#include <csignal>
#include <ctime>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

volatile std::sig_atomic_t is_orphan = 0;
extern "C" void on_orphaned(int /*signal*/) { is_orphan = 1; }

long now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

[[noreturn]] void compute(int ready) {
  struct sigaction action {};
  action.sa_handler = on_orphaned;
  ::sigaction(SIGUSR1, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
  (void)!::write(ready, "", 1);
  while (is_orphan == 0) {
  }
  const long until = now_ms() + 400;
  while (now_ms() < until) {
  }
  ::_exit(0);
}

} // namespace

int main() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return 1;
  const pid_t child = ::fork();
  if (child == 0) compute(ends[1]);
  char byte = 0;
  if (::read(ends[0], &byte, 1) != 1) return 1;
  (void)!::write(1, "a", 1);
  ::kill(child, SIGKILL);
  while (::wait(nullptr) > 0) {
  }
  return 0;
}
