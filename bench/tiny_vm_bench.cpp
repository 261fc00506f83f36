// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What it costs an interpreter to be interruptible before each opcode: a loop of ten million additions in
// examples/12_tiny_vm, against the same loop with the look at the thread's word compiled out, and against
// CPython's `for` where a python3 is there. Figures are processor time of the thread, Python's without its
// start: a loop that waits for nothing and takes a second meets every neighbour of a shared machine.
#include "compiler.hpp"
#include "play.hpp"

#include <lastcall/runtime/runtime.hpp>

#include "comparison.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

long turns = 10'000'000;

std::shared_ptr<const tiny::program> loop() {
  const std::string count = std::to_string(turns);
  return std::make_shared<tiny::program>(tiny::compile("fn add(n)\n"
                                                       "  sum = 0\n"
                                                       "  i = 0\n"
                                                       "  while i < n\n"
                                                       "    sum = sum + i\n"
                                                       "    i = i + 1\n"
                                                       "  end\n"
                                                       "  return sum\n"
                                                       "end\n"
                                                       "if not add(" +
                                                       count + ") == " + count + " * (" + count +
                                                       " - 1) / 2\n"
                                                       "  raise \"a wrong sum\"\n"
                                                       "end\n"));
}

double processor_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double ns_a_turn(tiny::watch how) {
  const auto code = loop();
  const lastcall::runtime runtime{{.name = "bench"}};
  const double start = processor_ns();
  if (tiny::play(code, {.watch = how}, std::make_shared<tiny::ledger>()).failed)
    throw std::runtime_error("the sum is wrong");
  return (processor_ns() - start) / static_cast<double>(turns);
}

/// What a command prints, as a number; not positive: it could not be run.
double number_from(const std::string& command) {
  std::FILE* const out = ::popen(command.c_str(), "r");
  if (out == nullptr) return 0;
  std::array<char, 64> text{};
  const bool there = std::fgets(text.data(), text.size(), out) != nullptr;
  return ::pclose(out) == 0 && there ? std::strtod(text.data(), nullptr) : 0;
}

std::string python() {
  for (const char* name : {"/usr/bin/python3", "python3"})
    if (number_from(std::string{name} + " -c 'print(1)' 2>/dev/null") == 1) return name;
  return {};
}

double python_ns_a_turn(const std::string& program) {
  return number_from(program +
                     " -c 'import time\n"
                     "def add(n):\n"
                     "  sum = 0\n"
                     "  for i in range(n):\n"
                     "    sum = sum + i\n"
                     "  return sum\n"
                     "start = time.process_time()\n"
                     "assert add(" +
                     std::to_string(turns) +
                     ")\n"
                     "print((time.process_time() - start) * 1e9 / " +
                     std::to_string(turns) + ")'");
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) turns /= 20;
  bench::report report{"tiny_vm"};
  report.add(
      {.name = "10,000,000 additions",
       .peer = "the check compiled out",
       .unit = "ns",
       .bar = bench::at_most(1.05),
       .repetitions = 11},
      [] { return ns_a_turn(tiny::watch::word); }, [] { return ns_a_turn(tiny::watch::nothing); });
  if (const std::string program = python(); !program.empty())
    report.add(
        {.name = "10,000,000 additions",
         .peer = "CPython's for, " + program,
         .unit = "ns",
         .bar = bench::at_most(1),
         .repetitions = 11},
        [] { return ns_a_turn(tiny::watch::word); }, [&] { return python_ns_a_turn(program); });
  return report.print();
}
