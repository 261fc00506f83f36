// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The handler says which thread took the request: "m" for the first, "t" for the other. The other makes one
// recognizable call (sync).
#include <csignal>
#include <pthread.h>
#include <unistd.h>

namespace {
pthread_t first;
extern "C" void on_signal(int /*signal*/) {
  (void)!::write(1, ::pthread_equal(::pthread_self(), first) != 0 ? "m" : "t", 1);
}
extern "C" void* other(void* /*unused*/) {
  ::sync();
  return nullptr;
}
} // namespace

int main() {
  first = ::pthread_self();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  pthread_t thread{};
  if (::pthread_create(&thread, nullptr, other, nullptr) != 0) return 1;
  ::pthread_join(thread, nullptr);
  return 0;
}
