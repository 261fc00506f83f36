// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/worker.hpp"

#include "explore/explore.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace checker {
namespace {

bool write_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const auto wrote = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

bool read_all(int fd, void* data, std::size_t size) {
  auto* bytes = static_cast<char*>(data);
  while (size > 0) {
    const auto got = ::recv(fd, bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_answer(int fd, const wire::answer& what) {
  const auto bytes = wire::encode(what);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  return write_all(fd, &size, sizeof size) && write_all(fd, bytes.data(), bytes.size());
}

/// Tracer and subject on one processor: a stop costs a quarter of what it costs across two.
void stay_on_one_processor(unsigned index) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  auto skip = index % static_cast<unsigned>(CPU_COUNT(&allowed));
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

void become_worker(pid_t parent, unsigned index) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1); // it ended before we asked
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP}) (void)::signal(signal, SIG_IGN);
  (void)::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  stay_on_one_processor(index);
}

/// `make` as an answer, failures included.
template <class Make>
wire::answer answer_of(Make make) {
  wire::answer failed;
  try {
    return make();
  } catch (const undisturbed_run_failed& failure) {
    failed.failure = failure.what();
    failed.undisturbed_failed = true;
  } catch (const std::exception& failure) {
    failed.failure = failure.what();
  }
  return failed;
}

} // namespace

template <class Body>
worker worker::start(unsigned index, Body body) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_cannot("create a socket");
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw_cannot("create a worker process");
  if (child > 0) {
    ::close(ends[1]);
    return worker{child, ends[0]};
  }
  ::close(ends[0]);
  become_worker(parent, index);
  body(ends[1]);
  ::_exit(0); // nothing of the parent's is flushed or destroyed here
}

worker worker::for_survey(const run_setup& setup) {
  return start(0, [&](int channel) {
    const auto answer = answer_of([&] {
      wire::answer made;
      made.known = make_survey(setup);
      return made;
    });
    (void)send_answer(channel, answer);
  });
}

worker worker::for_recount(const run_setup& setup, const survey& known) {
  return start(0, [&](int channel) {
    const auto answer = answer_of([&] {
      wire::answer made;
      made.moved = count_moved(setup, known);
      return made;
    });
    (void)send_answer(channel, answer);
  });
}

worker worker::for_runs(const run_setup& setup, const survey& known, const std::vector<injection>& runs,
                        unsigned index) {
  return start(index, [&](int channel) {
    std::unique_ptr<runner> here;
    for (std::uint32_t number = 0; read_all(channel, &number, sizeof number);) {
      const auto answer = answer_of([&] {
        if (!here) {
          here = std::make_unique<runner>(setup, index);
          here->naming().use_masks(known.masks);
        }
        return make_run(*here, setup, known, runs.at(number));
      });
      if (!send_answer(channel, answer)) return;
    }
    // Here and not after _exit: a sandbox without namespaces cleans up after itself.
    here.reset();
  });
}

worker::worker(worker&& other) noexcept
    : asked(std::move(other.asked)),
      process_(std::exchange(other.process_, 0)),
      channel_(std::exchange(other.channel_, -1)) {}

worker::~worker() {
  if (channel_ >= 0) ::close(channel_);
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void worker::ask(std::uint32_t run) {
  asked.push_back(run);
  (void)write_all(channel_, &run, sizeof run); // where it has ended, `receive` will tell
}

std::optional<wire::answer> worker::receive() {
  std::uint32_t size = 0;
  if (!read_all(channel_, &size, sizeof size)) return std::nullopt;
  std::vector<std::uint8_t> bytes(size);
  if (!read_all(channel_, bytes.data(), bytes.size())) return std::nullopt;
  if (!asked.empty()) asked.erase(asked.begin());
  return wire::decode(bytes);
}

wire::answer make_run(runner& here, const run_setup& setup, const survey& known, const injection& what) {
  constexpr int tries = 5;
  constexpr seconds long_enough{3}; // no further try after that
  const auto started = std::chrono::steady_clock::now();
  auto task = usual_task(known);
  task.ask = what;
  wire::answer result;
  for (int i = 0; i < tries; ++i) {
    // Quickly first. A program of several threads may go another way when it is not slowed down as it was
    // when its points were noted: then by the same, slow, means.
    task.by_filter = i == 0 && what.where.at != position::during;
    result.seen = here.run_fresh(task).seen;
    const seconds spent = std::chrono::steady_clock::now() - started;
    if (result.seen->delivered != delivery::none || spent > long_enough) break;
  }
  auto& seen = *result.seen;
  if (seen.delivered != delivery::none) {
    if (!setup.wanted.verify.empty()) seen.verified = here.verify();
    if (!in_known_state(known.known, seen)) {
      auto again = usual_task(known);
      again.limit = known.limit_after;
      again.end_when_idle = !known.known.ends_by_itself;
      seen.again = here.run_again(again);
    }
    result.observations = judge(known.known, seen);
  }
  seen.work.clear();
  seen.tmp.clear();
  return result;
}

} // namespace checker
