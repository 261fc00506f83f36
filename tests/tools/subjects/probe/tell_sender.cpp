// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Tells of a request how it looks to its receiver: "user" for kill(), "thread" for tgkill(), and whether a
// sleeping read from a pipe was cut short by it.
#include <array>
#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace {
volatile std::sig_atomic_t code = 1000;
extern "C" void on_signal(int /*signal*/, siginfo_t* info, void* /*context*/) { code = info->si_code; }
} // namespace

int main() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGINT, &action, nullptr);
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return 1;
  constexpr int own_number = 60; // one that the dynamic loader does not use
  if (::dup2(ends[0], own_number) != own_number) return 1;
  if (::fork() == 0) {
    ::usleep(50'000);
    ::_exit(0);
  }
  ::close(ends[1]);
  char byte = 0;
  const bool cut = ::read(own_number, &byte, 1) < 0 && errno == EINTR;
  if (code == SI_USER) (void)!::write(1, "user", 4);
  if (code == SI_TKILL) (void)!::write(1, "thread", 6);
  if (cut) (void)!::write(1, " cut", 4);
  return 0;
}
