// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Writes "a", "b", "c" with one system call each; a request writes "!" from its handler. The output shows
// between which two instructions it arrived.
#include <csignal>
#include <unistd.h>

namespace {
extern "C" void on_signal(int /*signal*/) { (void)!::write(1, "!", 1); }
} // namespace

int main() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  (void)!::write(1, "a", 1);
  (void)!::write(1, "b", 1);
  (void)!::write(1, "c", 1);
  return 0;
}
