// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Three threads work at a queue; the main thread waits for a request with sigwait(), stops them and joins
// them.
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

int main() {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &both, nullptr); // before any thread: all inherit it

  std::mutex lock;
  std::condition_variable changed;
  bool stop = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&] {
      std::unique_lock hold(lock);
      changed.wait(hold, [&] { return stop; });
    });
  int number = 0;
  sigwait(&both, &number);
  {
    const std::lock_guard hold(lock);
    stop = true;
  }
  changed.notify_all();
  for (auto& worker : workers) worker.join();
  return 0;
}
