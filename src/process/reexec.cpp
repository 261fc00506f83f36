// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A worker by exec.
//
// It gets a socket under a fixed number and a word among its arguments that says so. On the socket lies one
// packet: what to do, as a zygote would be told, with the descriptors. That packet names code by its distance
// from the beginning of the program, so whoever may write it owns the process. It is therefore heeded only if
// the other end was made by this process's parent, who is the same user; and never in a program with more
// rights than its caller.
#include <lastcall/process/reexec.hpp>

#include "process/launched_process.hpp"
#include "process/process_main.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/memory_barrier.hpp"
#include "sys/process_calls.hpp"
#include "sys/spawn.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ; // NOLINT(readability-redundant-declaration): <unistd.h> belongs to sys

namespace lastcall {

namespace {

constexpr std::string_view the_word = "--lastcall-worker";
constexpr int the_number = 3;

[[noreturn]] void begin() {
  const pid_t parent = sys::parent_pid();
  pid_t maker = 0;
  uid_t user = 0;
  const bool ours = !sys::secure_execution() && sys::made_by(the_number, maker, user) == 0 &&
                    maker == parent && user == sys::getuid();
  if (!ours) sys::exit_now(detail::no_sense);
  detail::process_setup setup;
  std::array<int, sys::most_descriptors> received{};
  std::size_t count = 0;
  const auto size = sys::receive_with_fds(the_number, &setup, sizeof setup, received, count);
  std::vector<raw_fd> fds;
  for (std::size_t i = 0; i < count; ++i) fds.push_back(raw_fd::own(received[i]));
  if (size == -EMFILE && !fds.empty())
    detail::say_trouble(fds[0], detail::trouble_of(sys::call::recvmsg, "a worker's orders", EMFILE));
  if (size != sizeof setup) sys::exit_now(detail::no_sense);
  sys::close_fd(the_number);
  sys::register_memory_barrier(); // while there is one thread it takes no time
  sys::close_standard_input();
  detail::begin_child_process({parent, sys::signal_mask()}, setup, fds);
}

} // namespace

reexec::reexec(int argc, char** argv) {
  sys::register_memory_barrier();
  if (argc == 2 && argv[1] == the_word) begin();
}

reexec::~reexec() = default;

std::unique_ptr<detail::launched_process> reexec::launch(const detail::process_setup& setup,
                                                         std::span<const int> fds) {
  int ends[2];
  if (const int result = sys::make_channel(sys::channel_kind::packet, ends); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a worker's orders");
  const raw_fd ours = raw_fd::own(ends[0]), theirs = raw_fd::own(ends[1]);
  sys::spawning what;
  detail::process_setup orders = setup;
  if (std::exchange(orders.enters, 0) != 0) { // before its program begins, which may start others at once
    what.entrance = fds.back();
    fds = fds.first(fds.size() - 1);
  }
  const sys::piece bytes{&orders, sizeof orders};
  if (const auto sent = sys::send_with_fds(ours.number(), {&bytes, 1}, fds); sent < 0)
    sys::throw_failure(sys::call::sendmsg, static_cast<int>(-sent), "a worker's orders");

  const std::array<const char*, 2> paths{"/proc/self/exe", nullptr};
  std::string name{"lastcall-worker"}, word{the_word};
  const std::array<char*, 3> arguments{name.data(), word.data(), nullptr};
  const sys::handed_fd handed{theirs.number(), the_number};
  int spare = -1;
  what.paths = paths.data();
  what.arguments = arguments.data();
  what.environment = environ;
  what.fds = &handed;
  what.spare = &spare;
  what.fd_count = 1;
  // The thread that starts it may end long before the process: the worker asks for its own, for which its
  // lifeline stands in as soon as it is there.
  const pid_t child = sys::spawn(what);
  if (child < 0)
    sys::throw_failure(what.failed, what.error,
                       what.failed == sys::call::write ? "a worker's cgroup.procs"
                                                       : "a worker, of /proc/self/exe");
  return std::make_unique<detail::launched_process>(
      detail::launched_process::by_pidfd(child, raw_fd::own(what.pidfd)));
}

} // namespace lastcall
