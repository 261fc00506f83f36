// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Asked to end, it stops its parent, which traces it, for two seconds, as a suspended machine would, and goes
// on to a point where it needs its tracer (a birth). Only then it ends, by itself and soon.
#include <array>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace {
volatile std::sig_atomic_t asked = 0;
extern "C" void on_signal(int /*signal*/) { asked = 1; }
} // namespace

int main() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  (void)!::write(1, "a", 1);
  if (asked == 0) return 0;
  const pid_t tracer = ::getppid();
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return 1;
  if (::fork() == 0) {
    (void)!::write(ends[1], "", 1);
    ::sleep(2);
    ::kill(tracer, SIGCONT);
    ::_exit(0);
  }
  char byte = 0;
  (void)!::read(ends[0], &byte, 1); // a child takes its first step only when the tracer lets it
  ::kill(tracer, SIGSTOP);
  if (::fork() == 0) ::_exit(0);
  while (::wait(nullptr) > 0) {
  }
  (void)!::write(1, "b", 1);
  return 0;
}
