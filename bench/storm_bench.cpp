// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What one delivered signal costs when they come as fast as the kernel can make them: counted, written down
// with sender and time, made known to owner and herald, against a handler that only counts. The bar is no
// promise but a watch: it notices a handler that has become several times what it was.

#include <lastcall/interrupt/signal_scope.hpp>

#include "comparison.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <signal.h>

namespace {

std::size_t signals = 20'000;

std::atomic<std::uint64_t> counted{0};
void count(int) { counted.fetch_add(1, std::memory_order_relaxed); }

// Each thread raises its share; `raise` returns after the handler.
double ns_per_signal(int signal, unsigned threads) {
  const double start = bench::now_ns();
  {
    std::vector<std::jthread> senders;
    for (unsigned t = 0; t < threads; ++t)
      senders.emplace_back([signal, threads] {
        for (std::size_t i = 0; i < signals / threads; ++i) ::raise(signal);
      });
  }
  return (bench::now_ns() - start) / static_cast<double>(signals);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) signals = 1000;
  const lastcall::signal_scope scope{{.ladder = lastcall::ladder_policy::patient}};
  struct ::sigaction action {};
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);

  bench::report report{"storm"};
  const auto add = [&](const char* name, unsigned threads) {
    report.add(
        {.name = name,
         .peer = "handler that counts",
         .unit = "ns",
         .bar = bench::at_most(5),
         .repetitions = 41},
        [=] { return ns_per_signal(SIGINT, threads); }, [=] { return ns_per_signal(SIGUSR1, threads); });
  };
  add("signals raised by one thread", 1);
  add("signals raised by four threads", 4);
  const std::size_t raised = std::size_t{2} * 42 * signals;
  if (scope.delivered(SIGINT) != raised || counted.load() != raised) {
    std::fprintf(stderr, "storm: a signal was lost\n");
    return 2;
  }
  return report.print();
}
