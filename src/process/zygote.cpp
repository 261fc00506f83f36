// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A process that forks.
//
// Aim: workers that begin as small as the program did, in the time of a fork, and of which the manager knows
// at every moment whether they live and how they ended.
//
// A zygote's children are not the manager's: waitid does not tell it of them. Two ways round that:
//
// 1. To clone with CLONE_PARENT, which makes them the manager's. libc has no function for it, and a child
// that
//    was made behind libc's back begins with its parent's thread id in libc's books: a recursive or robust
//    mutex in shared memory then takes two workers for one. And whatever part of the manager waits for all
//    children takes the status away. Rejected.
// 2. To have the zygote reap and tell. Each child has a certificate, a socket of its own between zygote and
//    manager: first comes its birth with a pidfd, made while nobody can have reaped it, then its end. It
//    costs a packet, and foreign reapers in the manager see nothing of it.
//
// The zygote ends when its control socket does, which nobody but the manager holds: at the end of that
// process, whatever ended it. It is the workers' parent, so its end is also their parent-death signal; see
// worker_main.cpp. Stopped by SIGSTOP it would not see the end of a file; the parent-death signal it has
// itself is SIGCONT, which makes it look, and which does no harm should the signal come only because a thread
// of the manager has ended.
#include <lastcall/process/zygote.hpp>

#include "process/launched_process.hpp"
#include "process/process_main.hpp"
#include "process/process_watch.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/incarnation.hpp"
#include "sys/memory_barrier.hpp"
#include "sys/process_calls.hpp"
#include "sys/thread.hpp"
#include "sys/thread_files.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace lastcall {

namespace {

using detail::certificate_note;
using detail::process_setup;

struct reared {
  pid_t pid = 0;
  raw_fd certificate;
};

/// The zygote's side. Nothing of it is destroyed in a worker but what a worker must not keep: descriptors.
class nursery {
public:
  nursery(raw_fd control, raw_fd manager, raw_fd signals, std::uint64_t mask)
      : control_{std::move(control)},
        manager_{std::move(manager)},
        signals_{std::move(signals)},
        mask_{mask} {}

  [[noreturn]] void serve() {
    for (;;) {
      std::array<sys::awaited, 3> watched{{{control_.number(), sys::readable},
                                           {signals_.number(), sys::readable},
                                           {manager_.number(), sys::readable}}};
      sys::poll_many(watched, owes_a_look_ ? soon : -1);
      if (watched[1].found != 0 || owes_a_look_) reap();
      if (watched[2].found != 0) sys::exit_now(0);
      while (watched[0].found != 0 && obey()) {
      }
    }
  }

private:
  static constexpr std::int64_t soon = 10'000'000; // nanoseconds

  // One order; false when there is none for now.
  bool obey() {
    process_setup setup;
    std::array<int, sys::most_descriptors> fds{};
    std::size_t count = 0;
    place_ = {}; // for the certificate, which comes first: on it is said that there is no room for the others
    const auto size = sys::receive_with_fds(control_.number(), &setup, sizeof setup, fds, count);
    std::vector<raw_fd> owned;
    for (std::size_t i = 0; i < count; ++i) owned.push_back(raw_fd::own(fds[i]));
    const bool none = size == -EAGAIN || size == -EINTR, cut = size == -EMFILE;
    if (size <= 0 && !none && !cut) sys::exit_now(0); // the manager has ended, or wants no more of us
    if (cut && !owned.empty()) refuse(owned.front(), sys::call::recvmsg, EMFILE);
    if (size == sizeof setup && !owned.empty()) rear(setup, owned);
    place_ = raw_fd::own(sys::open_nothing());
    return !none;
  }

  static void refuse(const raw_fd& certificate, sys::call at, int error) noexcept {
    certificate_note note;
    note.kind = certificate_note::what::not_born;
    note.at = at;
    note.value = error;
    const sys::piece bytes{&note, sizeof note};
    sys::send_with_fds(certificate.number(), {&bytes, 1}, {});
  }

  void rear(const process_setup& setup, std::vector<raw_fd>& fds) {
    raw_fd certificate = std::move(fds.front());
    fds.erase(fds.begin());
    const pid_t zygote = sys::getpid();
    const pid_t child = sys::fork_process();
    if (child == 0) {
      children_.clear();
      control_ = {};
      manager_ = {};
      certificate = {};
      signals_ = {};
      detail::begin_child_process({zygote, mask_}, setup, fds);
    }
    if (child < 0) return refuse(certificate, sys::call::fork, -child);
    certificate_note note;
    note.pid = child;
    const int number = sys::pidfd_open(child);
    const raw_fd pidfd = raw_fd::own(number);
    const sys::piece bytes{&note, sizeof note};
    auto told = static_cast<ssize_t>(number);
    if (pidfd.is_open()) told = sys::send_with_fds(certificate.number(), {&bytes, 1}, {&number, 1});
    if (told < 0) { // nobody could ever be sure of it
      sys::signal_process(child, SIGKILL);
      refuse(certificate, pidfd.is_open() ? sys::call::sendmsg : sys::call::pidfd_open,
             static_cast<int>(-told));
    }
    children_.push_back({child, std::move(certificate)});
  }

  void reap() {
    sys::drain_child_signals(signals_.number());
    sys::child_end end;
    int reaped = 0;
    while ((reaped = sys::reap_any(end)) > 0) {
      for (auto& one : children_) {
        if (one.pid != end.pid) continue;
        using how = process_end::how;
        const certificate_note note{certificate_note::what::ended, end.pid, end.value,
                                    end.kind == sys::end_kind::exited   ? how::exited
                                    : end.kind == sys::end_kind::dumped ? how::dumped
                                                                        : how::signalled};
        const sys::piece bytes{&note, sizeof note};
        sys::send_with_fds(one.certificate.number(), {&bytes, 1}, {});
        one = std::move(children_.back());
        children_.pop_back();
        break;
      }
    }
    owes_a_look_ = reaped < 0 && reaped != -ECHILD; // no signal comes for what was refused
  }

  raw_fd control_, manager_, signals_, place_;
  std::uint64_t mask_;
  std::vector<reared> children_;
  bool owes_a_look_ = false;
};

[[noreturn]] void be_the_zygote(raw_fd control, raw_fd signals, pid_t manager, std::uint64_t mask) noexcept {
  try {
    sys::name_this_thread("lc-zygote");
    sys::set_parent_death_signal(SIGCONT);
    raw_fd watched = raw_fd::own(sys::pidfd_open(manager));
    if (sys::parent_pid() != manager && manager != 1) sys::exit_now(0); // too late for that signal
    sys::close_standard_input();
    struct ::sigaction plain {};
    plain.sa_handler = SIG_DFL; // where SIGCHLD is ignored nobody is told how a child ended
    sys::sigaction(SIGCHLD, &plain, nullptr);
    nursery{std::move(control), std::move(watched), std::move(signals), mask}.serve();
  } catch (...) { // no memory
    sys::exit_now(1);
  }
}

// It is this thread's child and not reaped yet, so the number is still its own.
void end_without_pidfd(pid_t zygote) noexcept {
  constexpr std::int64_t moment = 1'000'000;
  sys::signal_process(zygote, SIGKILL);
  sys::child_end end;
  for (int i = 0; i < 1000 && sys::reap_pid(zygote, end) == 0; ++i) sys::poll_many({}, moment);
}

} // namespace

struct zygote::state {
  raw_fd control;
  pid_t pid = 0;
  raw_fd pidfd;
  sys::incarnation made_in = 0;
};

zygote::zygote() : state_{std::make_unique<state>()} {
  std::array<pid_t, 4> threads{};
  if (sys::list_threads(threads.data(), threads.size()) > 1 + detail::threads_of_a_sanitizer)
    throw std::logic_error{"a zygote has to be made before there are threads"};
  const auto refuse = [](sys::call which, int error) { sys::throw_failure(which, -error, "a zygote"); };
  sys::prepare_incarnation();
  // For a process with threads the kernel takes some ten milliseconds for it, and all that are forked inherit
  // it.
  sys::register_memory_barrier();
  int ends[2];
  if (const int result = sys::make_channel(sys::channel_kind::packet, ends); result < 0)
    refuse(sys::call::socketpair, result);
  state_->control = raw_fd::own(ends[0]);
  raw_fd theirs = raw_fd::own(ends[1]);
  // What the zygote cannot do without is made here, where somebody can be told. It tells who reads of the
  // reader's own signals.
  raw_fd ended = raw_fd::own(sys::child_signal_fd());
  if (!ended.is_open()) refuse(sys::call::signalfd, ended.number());
  const pid_t manager = sys::getpid();
  // The zygote hears no signal at any moment, and its workers hear what we do now.
  const std::uint64_t mask = sys::signal_mask();
  sys::set_signal_mask(~std::uint64_t{0});
  const pid_t pid = sys::fork_process();
  if (pid == 0) {
    state_->control = {};
    be_the_zygote(std::move(theirs), std::move(ended), manager, mask);
  }
  sys::set_signal_mask(mask);
  if (pid < 0) refuse(sys::call::fork, pid);
  state_->pid = pid;
  ended = {}; // makes room for the next
  const int pidfd = sys::pidfd_open(pid);
  if (pidfd < 0) {
    end_without_pidfd(pid);
    refuse(sys::call::pidfd_open, pidfd);
  }
  state_->pidfd = raw_fd::own(pidfd);
  state_->made_in = sys::this_incarnation();
}

zygote::~zygote() {
  if (state_->made_in != sys::this_incarnation()) return;
  state_->control = {};
  const auto patience = std::chrono::seconds{1};
  if (!detail::ended_within(state_->pidfd.number(), deadline::after(patience))) {
    sys::pidfd_send_signal(state_->pidfd.number(), SIGKILL);
    detail::ended_within(state_->pidfd.number(), deadline::after(patience));
  }
  detail::reaped(state_->pid, state_->pidfd.number());
}

int zygote::pid() const noexcept { return state_->pid; }

std::unique_ptr<detail::launched_process> zygote::launch(const process_setup& setup,
                                                         std::span<const int> fds) {
  int ends[2];
  if (const int result = sys::make_channel(sys::channel_kind::packet, ends); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a worker's certificate");
  raw_fd ours = raw_fd::own(ends[0]);
  const raw_fd theirs = raw_fd::own(ends[1]);
  raw_fd place = raw_fd::own(sys::open_nothing());
  if (!place.is_open())
    sys::throw_failure(sys::call::openat, -place.number(), "a place for a worker's pidfd");
  std::vector<int> all{theirs.number()};
  all.insert(all.end(), fds.begin(), fds.end());
  auto launched = std::make_unique<detail::launched_process>(
      detail::launched_process::by_certificate(std::move(ours), std::move(place)));
  const sys::piece bytes{&setup, sizeof setup};
  const auto sent = sys::send_with_fds(state_->control.number(), {&bytes, 1}, all);
  if (sent == -EPIPE || sent == -ECONNRESET)
    throw std::system_error{EPIPE, std::system_category(), "sendmsg (the zygote has ended)"};
  if (sent < 0) sys::throw_failure(sys::call::sendmsg, static_cast<int>(-sent), "an order to the zygote");
  return launched;
}

} // namespace lastcall
