// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// One thread computes for 150 ms once it was asked to end, and then ends; fifteen others wait.
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <unistd.h>

namespace {
volatile std::sig_atomic_t is_asked = 0;
extern "C" void on_signal(int /*signal*/) { is_asked = 1; }
extern "C" void* wait_for_ever(void* /*unused*/) {
  while (true) ::pause();
}
double used() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
} // namespace

int main() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  for (int i = 0; i < 15; ++i) {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, wait_for_ever, nullptr) != 0) return 1;
  }
  (void)!::write(1, "there ", 6);
  if (is_asked != 0) {
    const double before = used();
    while (used() < before + 0.15) {
    }
  }
  (void)!::write(1, "done", 4);
  ::_exit(0);
}
