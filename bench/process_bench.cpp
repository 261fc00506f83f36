// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What a pool of workers costs beyond what it is made of: sockets between processes, and forks.
//
// A round trip against a byte that goes there and back over a socketpair, and against the two ways that
// CPython has; work on two workers against one; a large argument against the same bytes through a socketpair;
// the start of four workers against four forks that each say one byte.

#include <lastcall/process/reexec.hpp>
#include <lastcall/process/worker_pool.hpp>
#include <lastcall/process/zygote.hpp>

#include "comparison.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr std::size_t large = 16UL << 20U;
std::size_t rounds = 20'000;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "process: %s\n", why);
  std::_Exit(2);
}

/// Which processor, or all. Two threads that hand something over are four times slower on two processors than
/// on one, where waking one costs an interrupt of the other; where the scheduler has put them is worth more
/// than either side costs. So all sides of a round trip run on one.
void run_on(bool one) {
  static const cpu_set_t everywhere = [] {
    cpu_set_t found;
    ::sched_getaffinity(0, sizeof found, &found);
    return found;
  }();
  cpu_set_t wanted = everywhere;
  for (int i = 0, left = 1; one && i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &wanted) != 0 && left-- <= 0) CPU_CLR(i, &wanted);
  ::sched_setaffinity(0, sizeof wanted, &wanted);
}

struct adder {
  int add(int a, int b) { return a + b; }
  std::size_t size_of(const std::string& text) { return text.size(); }
  /// So many turns of a loop that nothing shortens.
  int compute(long turns) {
    for (std::atomic<long> i{0}; i.fetch_add(1, std::memory_order_relaxed) < turns;) {
    }
    return 0;
  }
};
using pool_of_adders = lastcall::worker_pool<adder>;

void all(bool write, int fd, char* bytes, std::size_t size) {
  while (size > 0) {
    const auto n = write ? ::write(fd, bytes, size) : ::read(fd, bytes, size);
    if (n <= 0) std::_Exit(write ? 2 : 0);
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

/// A process that answers each message with its first byte.
class answerer {
public:
  explicit answerer(std::size_t size) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) give_up("no socketpair");
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      std::vector<char> bytes(size);
      for (;;) {
        all(false, ends[1], bytes.data(), size);
        all(true, ends[1], bytes.data(), 1);
      }
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~answerer() {
    ::close(fd_);
    ::waitpid(child_, nullptr, 0);
  }
  answerer(const answerer&) = delete;
  answerer& operator=(const answerer&) = delete;
  void ask(char* bytes, std::size_t size) const {
    char byte = 0;
    all(true, fd_, bytes, size);
    all(false, fd_, &byte, 1);
  }

private:
  pid_t child_ = 0;
  int fd_ = -1;
};

double round_trip(pool_of_adders& pool) {
  return bench::ns_per_call(rounds,
                            [&] {
                              if (pool.call<&adder::add>(1, 2).get() != 3) give_up("a wrong sum");
                            }) /
         1e3;
}

double ping_pong(const answerer& other) {
  char byte = 0;
  return bench::ns_per_call(rounds, [&] { other.ask(&byte, 1); }) / 1e3;
}

/// What a Python program prints: a number of microseconds.
double python(const char* program) {
  const std::string command = std::string{"python3 -c '"} + program + "'";
  std::FILE* const out = ::popen(command.c_str(), "r");
  char said[64]{};
  const bool has_spoken = out != nullptr && std::fgets(said, sizeof said, out) != nullptr;
  char* end = said;
  const double us = std::strtod(said, &end);
  if (!has_spoken || end == said || ::pclose(out) != 0) give_up("python3 failed");
  return us;
}

constexpr const char* queue_pair = R"(
import multiprocessing as m, time
def serve(a, b):
    while True:
        x = a.get()
        if x is None: return
        b.put(x[0] + x[1])
if __name__ == "__main__":
    c = m.get_context("fork"); a = c.Queue(); b = c.Queue()
    p = c.Process(target=serve, args=(a, b)); p.start()
    def go(n):
        for i in range(n):
            a.put((1, 2)); assert b.get() == 3
    go(100); t = time.perf_counter(); go(1500); print((time.perf_counter() - t) / 1500 * 1e6); a.put(None); p.join()
)";

constexpr const char* executor = R"(
import concurrent.futures as f, multiprocessing as m, operator, time
if __name__ == "__main__":
    with f.ProcessPoolExecutor(1, mp_context=m.get_context("fork")) as e:
        def go(n):
            for i in range(n): assert e.submit(operator.add, 1, 2).result() == 3
        go(100); t = time.perf_counter(); go(1500); print((time.perf_counter() - t) / 1500 * 1e6)
)";

long turns_of_a_millisecond() {
  adder here;
  constexpr long some = 2'000'000;
  const double from = bench::now_ns();
  here.compute(some);
  return static_cast<long>(some * 1e6 / (bench::now_ns() - from));
}

double work(pool_of_adders& pool, long turns) {
  constexpr std::size_t calls = 300;
  const double from = bench::now_ns();
  std::vector<lastcall::reply<int, lastcall::plain_codec>> replies;
  for (std::size_t i = 0; i < calls; ++i) replies.push_back(pool.call<&adder::compute>(turns));
  for (auto& each : replies) each.get();
  return calls / ((bench::now_ns() - from) / 1e9);
}

double megabytes(double ns) { return static_cast<double>(large) / 1e6 / (ns / 1e9); }

double plain_start() {
  const double from = bench::now_ns();
  std::array<int, 4> fds{};
  std::array<pid_t, 4> children{};
  for (std::size_t i = 0; i < fds.size(); ++i) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) give_up("no socketpair");
    children[i] = ::fork();
    if (children[i] == 0) {
      char byte = 'x';
      all(true, ends[1], &byte, 1);
      all(false, ends[1], &byte, 1);
      std::_Exit(0);
    }
    ::close(ends[1]);
    fds[i] = ends[0];
  }
  char byte = 0;
  for (const int fd : fds) all(false, fd, &byte, 1);
  const double took = bench::now_ns() - from;
  for (const int fd : fds) all(true, fd, &byte, 1), ::close(fd);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  return took / 1e6;
}

double pool_start(lastcall::process_source& source) {
  const double from = bench::now_ns();
  pool_of_adders pool{source, {.workers = 4}};
  return (bench::now_ns() - from) / 1e6;
}

} // namespace

int main(int argc, char** argv) {
  lastcall::reexec again{argc, argv};
  lastcall::zygote nursery;
  run_on(true);
  lastcall::zygote pinned;
  run_on(false);
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) rounds = 500;
  bench::report report{"process"};

  report.add(
      {.name = "start of four workers, by a zygote",
       .peer = "four forks, a byte from each",
       .unit = "ms",
       .bar = bench::at_most(2)},
      [&] { return pool_start(nursery); }, plain_start);
  report.add(
      {.name = "start of four workers, by exec",
       .peer = "four forks, a byte from each",
       .unit = "ms",
       .bar = bench::at_most(6)},
      [&] { return pool_start(again); }, plain_start);

  const answerer big{large};
  pool_of_adders one{nursery, {.workers = 1, .queue = 1000}}, two{nursery, {.workers = 2, .queue = 1000}};
  run_on(true);
  const answerer small{1};
  pool_of_adders near{pinned, {.workers = 1}};
  report.add(
      {.name = "round trip of a small call",
       .peer = "a byte over a socketpair and back",
       .unit = "us",
       .bar = bench::at_most(2.5)},
      [&] { return round_trip(near); }, [&] { return ping_pong(small); });
  if (std::system("python3 -c pass 2>/dev/null") == 0) {
    report.add(
        {.name = "round trip of a small call",
         .peer = "CPython multiprocessing.Queue pair",
         .unit = "us",
         .bar = bench::at_most(0.25),
         .repetitions = 3},
        [&] { return round_trip(near); }, [] { return python(queue_pair); });
    report.add(
        {.name = "round trip of a small call",
         .peer = "CPython ProcessPoolExecutor",
         .unit = "us",
         .bar = bench::at_most(0.1),
         .repetitions = 3},
        [&] { return round_trip(near); }, [] { return python(executor); });
    // What nobody can be below: see decision 0085.
    report.add(
        {.name = "a byte over a socketpair and back",
         .peer = "CPython multiprocessing.Queue pair",
         .unit = "us",
         .bar = bench::at_most(1),
         .repetitions = 3},
        [&] { return ping_pong(small); }, [] { return python(queue_pair); });
    report.add(
        {.name = "a byte over a socketpair and back",
         .peer = "CPython ProcessPoolExecutor",
         .unit = "us",
         .bar = bench::at_most(1),
         .repetitions = 3},
        [&] { return ping_pong(small); }, [] { return python(executor); });
  }
  run_on(false);
  const long turns = turns_of_a_millisecond();
  report.add(
      {.name = "calls of 1 ms on two workers",
       .peer = "on one worker",
       .unit = "calls/s",
       .bar = bench::at_least(1.9),
       .repetitions = 5},
      [&] { return work(two, turns); }, [&] { return work(one, turns); });

  std::string argument(large, 'x');
  report.add(
      {.name = "an argument of 16 MB",
       .peer = "the same through a socketpair",
       .unit = "MB/s",
       .bar = bench::at_least(0.5)},
      [&] {
        return megabytes(bench::ns_per_call(5, [&] {
          if (one.call<&adder::size_of>(argument).get() != large) give_up("a wrong size");
        }));
      },
      [&] { return megabytes(bench::ns_per_call(5, [&] { big.ask(argument.data(), large); })); });
  return report.print();
}
