// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What a checkpoint and a shield cost when nothing is pending. Built twice: bench_checkpoint links the static
// library, bench_checkpoint_shared a shared one made of the same sources, from which the thread's word is one
// more load away. BENCH_LIBRARY says which it is.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>

#include "comparison.hpp"

#include <atomic>
#include <cstring>
#include <stop_token>

namespace {

// Short rounds, many of them: a neighbour that takes the processor spoils a few, not the median.
constexpr std::size_t many = 4'000'000;
constexpr unsigned rounds = 101;
std::size_t calls = many;

// The peers are what one would write by hand: a flag that a loop looks at, the standard's token, a counter of
// one's own thread.
std::atomic<std::uint32_t> flag{0};
std::stop_source source;
const std::stop_token token = source.get_token();
thread_local constinit std::atomic<std::uint32_t> counter{0};
thread_local constinit std::uint32_t plain_counter = 0;
std::uint64_t seen = 0;

double checkpoint_ns() {
  return bench::ns_per_call(calls, [] { lastcall::checkpoint(); });
}

double flag_ns() {
  return bench::ns_per_call(calls, [] {
    if (flag.load(std::memory_order_relaxed) != 0) [[unlikely]]
      ++seen;
  });
}

double token_ns() {
  return bench::ns_per_call(calls, [] {
    if (token.stop_requested()) [[unlikely]]
      ++seen;
  });
}

// Between the two ends of a shield the compiler must assume that somebody looks.
double shield_ns() {
  return bench::ns_per_call(calls, [] {
    const lastcall::shield up;
    asm volatile("" : : : "memory");
  });
}

// The address of a thread's variable in a register: processors follow such a word through their store buffer
// without waiting for it, and do not where its address stands in the instruction.
template <class T>
T* by_register(T& variable) {
  T* at = &variable;
  asm volatile("" : "+r"(at));
  return at;
}

// The counter of a thread needs no locked instruction: a relaxed load and a relaxed store.
double count_ns() {
  return bench::ns_per_call(calls, [at = by_register(counter)] {
    at->store(at->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    asm volatile("" : : : "memory");
    at->store(at->load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  });
}

// Not atomic at all, which a compiler turns into fewer instructions.
double plain_count_ns() {
  return bench::ns_per_call(calls, [at = by_register(plain_counter)] {
    ++*at;
    asm volatile("" : : : "memory");
    --*at;
  });
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) calls = many / 20;
  const bool shared = std::strcmp(BENCH_LIBRARY, "shared") == 0;
  bench::report report{shared ? "checkpoint_shared" : "checkpoint"};
  const auto add = [&](const char* name, const char* peer, double bar, auto&& ours, auto&& theirs) {
    report.add({.name = name, .peer = peer, .unit = "ns", .bar = bench::at_most(bar), .repetitions = rounds},
               ours, theirs);
  };
  const char* const pending = "nothing pending, " BENCH_LIBRARY " library";
  const char* const shield = "shield, " BENCH_LIBRARY " library";
  add(pending, "relaxed load", shared ? 2 : 1.1, checkpoint_ns, flag_ns);
  add(pending, "std::stop_token::stop_requested", shared ? 2 : 1, checkpoint_ns, token_ns);
  add(shield, "relaxed ++ and -- of a thread-local", shared ? 3 : 1.5, shield_ns, count_ns);
  add(shield, "plain ++ and -- of a thread-local", shared ? 3 : 1.5, shield_ns, plain_count_ns);
  return report.print();
}
