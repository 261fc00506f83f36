// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How long it takes from a request to the return of the blocked call of a thread that waits for other things.
//
// The peers: the least that any design can do, which is a handler that writes an eventfd on which another
// thread is blocked; and Boost.Asio's signal_set, whose handler writes a pipe that its loop reads. A worker
// that is no owner learns of a request from its stop token. A token cannot be fired by a handler, so every
// design has a thread in between there, the peers as well: it reads the first eventfd, or runs the loop, and
// writes the eventfd of the worker.
//
// A sample begins before the sender's call of the kernel, in another process, and ends when the blocked call
// has returned. The three sides live in one process, each with a signal of its own, and take turns.

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include "comparison.hpp"
#include "signal_sender.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stop_token>
#include <thread>
#include <vector>

#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace {

constexpr int ours = SIGINT, raw = SIGUSR1, asio = SIGUSR2;

int samples = 25;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "latency: %s\n", why);
  std::_Exit(2);
}

// --- what the raw side is made of ---

int first_event = -1, second_event = -1; // of the handler, of the relay

void raw_handler(int) {
  const int kept = errno;
  const std::uint64_t one = 1;
  if (::write(first_event, &one, sizeof one) < 0) give_up("the raw handler could not write");
  errno = kept;
}

void raise_event(int fd) {
  const std::uint64_t one = 1;
  if (::write(fd, &one, sizeof one) != sizeof one) give_up("an eventfd refused a write");
}

void wait_event(int fd) {
  std::uint64_t count = 0;
  while (::read(fd, &count, sizeof count) < 0)
    if (errno != EINTR) give_up("an eventfd refused a read");
}

// One thread's word to another that it may go on. (std::binary_semaphore of GCC 12 may sleep through one.)
class turn {
public:
  turn() { ::sem_init(&there_, 0, 0); }
  ~turn() { ::sem_destroy(&there_); }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  void give() { ::sem_post(&there_); }
  void await() {
    while (::sem_wait(&there_) != 0) { // EINTR
    }
  }

private:
  sem_t there_{};
};

// --- the stage: an empty pipe, a thread on which signals land, a sender ---

struct stage {
  bench::signal_sender sender; // first: it forks
  int pipe[2] = {-1, -1};
  lastcall::signal_scope scope{{.ladder = lastcall::ladder_policy::patient}};
  boost::asio::io_context loop{1};
  boost::asio::signal_set signals{loop, asio};
  pid_t main = bench::this_thread(), elsewhere = -1;

  stage() {
    first_event = ::eventfd(0, EFD_CLOEXEC);
    second_event = ::eventfd(0, EFD_CLOEXEC);
    if (::pipe(pipe) != 0 || ::pipe(rest_) != 0 || first_event < 0 || second_event < 0)
      give_up("no descriptor");
    struct ::sigaction action {};
    action.sa_handler = raw_handler;
    action.sa_flags = SA_RESTART;
    ::sigaction(raw, &action, nullptr);
    turn known;
    lander_ = std::jthread{[&] {
      elsewhere = bench::this_thread();
      known.give();
      char byte = 0;
      while (::read(rest_[0], &byte, 1) < 0 && errno == EINTR) {
      }
    }};
    known.await();
  }
  ~stage() {
    if (::write(rest_[1], "", 1) != 1) give_up("the idle thread cannot be ended");
  }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  double since_sent() const { return bench::now_ns() - sender.sent_ns(); }

private:
  int rest_[2] = {-1, -1};
  std::jthread lander_;
};

template <class Sample>
double median_us(Sample&& sample) {
  std::vector<double> taken;
  taken.reserve(static_cast<std::size_t>(samples));
  for (int i = 0; i < samples; ++i) taken.push_back(sample() / 1000);
  return bench::median(std::move(taken));
}

// --- the owner: the thread that blocks is this one, the signal lands on `at` ---

double owner_ours(stage& on, pid_t at) {
  return median_us([&] {
    on.sender.ask(at, ours);
    std::error_code error;
    char byte = 0;
    lastcall::io::read(on.pipe[0], &byte, 1, error);
    const double taken = on.since_sent();
    if (error != lastcall::stop_errc::interrupted) give_up("the read was not interrupted");
    on.scope.acknowledge();
    return taken;
  });
}

// The loop also counts what it does for itself, so it is asked again.
template <class Done>
void run_until(stage& on, Done&& done) {
  on.loop.restart();
  while (!done()) on.loop.run_one();
}

double owner_asio(stage& on, pid_t at) {
  return median_us([&] {
    double taken = 0;
    on.signals.async_wait([&](const boost::system::error_code&, int) { taken = on.since_sent(); });
    on.sender.ask(at, asio);
    run_until(on, [&] { return taken != 0; });
    return taken;
  });
}

double owner_raw(stage& on, pid_t at) {
  return median_us([&] {
    on.sender.ask(at, raw);
    wait_event(first_event);
    return on.since_sent();
  });
}

// --- a worker: another thread blocks, while the signal lands on this one ---

// Runs `wait` on a worker once for each sample, with `begin` before it here and `end` after it.
template <class Wait, class Begin>
double worker_us(stage& on, int signal, Wait&& wait, Begin&& begin) {
  turn go, done;
  double taken = 0;
  std::atomic<bool> over = false; // relaxed: the turn orders it
  std::jthread worker{[&] {
    for (go.await(); !over.load(std::memory_order_relaxed); go.await()) {
      wait();
      taken = on.since_sent();
      done.give();
    }
  }};
  const double result = median_us([&] {
    begin(go);
    on.sender.ask(on.main, signal);
    done.await();
    return taken;
  });
  over.store(true, std::memory_order_relaxed);
  go.give();
  return result;
}

// The signal lands on this thread; the thread in between runs `relay` once for each sample.
template <class Relay>
double relayed_us(stage& on, int signal, Relay&& relay, int last_event) {
  turn relay_go;
  std::atomic<bool> over = false; // relaxed: the turn orders it
  std::jthread between{[&] {
    for (relay_go.await(); !over.load(std::memory_order_relaxed); relay_go.await()) relay();
  }};
  const double result = worker_us(
      on, signal, [&] { wait_event(last_event); },
      [&](auto& go) {
        relay_go.give();
        go.give();
      });
  over.store(true, std::memory_order_relaxed);
  relay_go.give();
  return result;
}

double worker_raw(stage& on) {
  return worker_us(
      on, raw, [] { wait_event(first_event); }, [](auto& go) { go.give(); });
}

double worker_raw_relayed(stage& on) {
  return relayed_us(
      on, raw,
      [] {
        wait_event(first_event);
        raise_event(second_event);
      },
      second_event);
}

double worker_asio_relayed(stage& on) {
  return relayed_us(
      on, asio,
      [&on] {
        std::stop_source source;
        const std::stop_callback wake{source.get_token(), [] { raise_event(second_event); }};
        on.signals.async_wait([&](const boost::system::error_code&, int) { source.request_stop(); });
        run_until(on, [&] { return source.stop_requested(); });
      },
      second_event);
}

double worker_ours(stage& on) {
  std::stop_token token;
  return worker_us(
      on, ours,
      [&] {
        if (lastcall::io::sleep_until(lastcall::deadline::never(), token))
          give_up("the worker's sleep was not interrupted");
      },
      [&](auto& go) {
        on.scope.acknowledge(); // of the sample before
        token = on.scope.token();
        go.give();
      });
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) samples = 3;
  ::alarm(120); // a wake-up that is lost would be waited for
  bench::report report{"latency"};
  stage on;
  const auto add = [&](const char* name, const char* peer, double bar, auto&& mine, auto&& theirs) {
    report.add({.name = name, .peer = peer, .unit = "us", .bar = bench::at_most(bar), .repetitions = 41},
               mine, theirs);
  };
  const char* const minimum = "handler writes eventfd";
  const char* const boost = "Boost.Asio signal_set";
  add(
      "owner, signal on it", minimum, 1.3, [&] { return owner_ours(on, on.main); },
      [&] { return worker_raw(on); });
  add(
      "owner, signal on it", boost, 1, [&] { return owner_ours(on, on.main); },
      [&] { return owner_asio(on, on.main); });
  add(
      "owner, signal elsewhere", minimum, 1.3, [&] { return owner_ours(on, on.elsewhere); },
      [&] { return owner_raw(on, on.elsewhere); });
  add(
      "owner, signal elsewhere", boost, 1, [&] { return owner_ours(on, on.elsewhere); },
      [&] { return owner_asio(on, on.elsewhere); });
  add(
      "worker with token", "eventfd, relayed by a thread", 1.3, [&] { return worker_ours(on); },
      [&] { return worker_raw_relayed(on); });
  add(
      "worker with token", "Boost.Asio, relayed by its loop", 1, [&] { return worker_ours(on); },
      [&] { return worker_asio_relayed(on); });
  return report.print();
}
