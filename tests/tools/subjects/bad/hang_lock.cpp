// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Defect: the handler takes a lock that the interrupted code may hold.
// Expected: hang (deadlock in futex), for requests while the lock is held.
#include <csignal>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void line(const char* text, size_t size) {
  pthread_mutex_lock(&lock);
  if (write(STDOUT_FILENO, text, size) < 0) _exit(1);
  pthread_mutex_unlock(&lock);
}

int main() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    line("stopping\n", 9);
    _exit(128 + signal);
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  line("working\n", 8);
  line("done\n", 5);
  return 0;
}
