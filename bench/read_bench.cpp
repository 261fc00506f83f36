// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What it costs that a read can be interrupted without a gap, when nothing interrupts it: one byte from
// /dev/zero, the read in which the kernel has least to do, against read(2).

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include "comparison.hpp"

#include <cstdio>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace {

constexpr std::size_t many = 40'000;
std::size_t calls = many;

int zero = -1;
char byte = 0;

double plain_ns() {
  return bench::ns_per_call(calls, [] { bench::keep(::read(zero, &byte, 1)); });
}

double throwing_ns() {
  return bench::ns_per_call(calls, [] { bench::keep(lastcall::io::read(zero, &byte, 1)); });
}

double code_ns() {
  std::error_code error;
  return bench::ns_per_call(calls, [&error] { bench::keep(lastcall::io::read(zero, &byte, 1, error)); });
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) calls = many / 20;
  zero = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
  if (zero < 0) {
    std::perror("read: /dev/zero");
    return 2;
  }
  const lastcall::signal_scope scope;
  bench::report report{"read"};
  const auto add = [&report](const char* name, double (*ours)()) {
    report.add(
        {.name = name, .peer = "read(2)", .unit = "ns", .bar = bench::at_most(1.05), .repetitions = 201},
        ours, plain_ns);
  };
  add("a byte, owner", throwing_ns);
  add("a byte, owner, error_code", code_ns);
  std::jthread{[&] { add("a byte, another thread", throwing_ns); }}.join();
  return report.print();
}
