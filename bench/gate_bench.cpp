// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What it costs to enter and leave a gate. The peer is what one would write by hand, and what a gate was
// before it had a count for each thread: an atomic counter that goes up and down.
//
// Built three times: bench_gate with the static library; bench_gate_shared with a shared one, from which the
// thread's row is one more load away; bench_gate_fenced with the static one and a twin of sys::admit that
// refuses membarrier, as an old kernel or a filter does.

#include <lastcall/scope/gate.hpp>

#include "comparison.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <thread>

namespace {

constexpr std::size_t many = 2'000'000;
std::size_t calls = many;

lastcall::gate door;
alignas(64) std::atomic<std::uint64_t> counter{0};

inline void look() { asm volatile("" : : : "memory"); }

// Something of the thread's own to do, some twenty nanoseconds.
inline void work() {
  for (int i = 0; i < 16; ++i) asm volatile("" : : "r"(i) : "memory");
}

struct through_gate {
  void operator()(auto&& inside) const {
    const auto pass = door.enter();
    inside();
  }
};
struct through_counter {
  void operator()(auto&& inside) const {
    counter.fetch_add(1, std::memory_order_acquire);
    inside();
    counter.fetch_sub(1, std::memory_order_release);
  }
};
struct through_nothing {
  void operator()(auto&& inside) const { inside(); }
};

template <class Through>
double alone() {
  return bench::ns_per_call(calls, [] { Through{}(look); });
}

template <class Fn>
double on_two_threads(Fn fn) {
  std::atomic<int> there{0};
  std::array<double, 2> took{};
  const auto run = [&](double& mine) {
    fn();
    there.fetch_add(1);
    while (there.load() < 2) {
    }
    mine = bench::ns_per_call(calls / 4, fn);
  };
  std::thread other{[&] { run(took[1]); }};
  run(took[0]);
  other.join();
  return std::max(took[0], took[1]);
}

template <class Through>
double two_tight() {
  return on_two_threads([] { Through{}(look); });
}

// The time that passes add to a loop which works inside and outside.
template <class Through>
double two_working() {
  const double with = on_two_threads([] {
    Through{}(work);
    work();
  });
  const double without = on_two_threads([] {
    through_nothing{}(work);
    work();
  });
  return std::max(with - without, 0.1);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) calls = many / 20;
  bench::report report{BENCH_NAME};
  report.add({.name = "enter and leave, one thread, " BENCH_LIBRARY,
              .peer = "atomic ++ and --",
              .unit = "ns",
              .bar = bench::at_most(BENCH_BAR_ALONE),
              .repetitions = 51},
             alone<through_gate>, alone<through_counter>);
  report.add({.name = "added to a working loop, two threads, " BENCH_LIBRARY,
              .peer = "shared atomic ++ and --",
              .unit = "ns",
              .bar = bench::at_most(BENCH_BAR_WORKING),
              .repetitions = 51},
             two_working<through_gate>, two_working<through_counter>);
  report.add({.name = "nothing but passes, two threads, " BENCH_LIBRARY,
              .peer = "shared atomic ++ and --",
              .unit = "ns",
              .bar = bench::at_most(BENCH_BAR_TIGHT),
              .repetitions = 51},
             two_tight<through_gate>, two_tight<through_counter>);
  return report.print();
}
