// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The keeper of a cgroup.
//
// Aim: what workers and children have started ends when the manager's process does, whatever ended that, also
// where it has broken away; and the directory does not stay behind.
//
// Nobody in the cgroup can see to that. A worker that has nothing to do ends at once when its manager goes,
// and its lifeline with it; were it to end all others first, a worker that still has something to finish
// would lose its grace. Nor can the zygote alone: it is not there where workers come by a new start of the
// program. So it is a process of its own, from whichever source, outside of the cgroup. It has one thread,
// blocks all signals, and waits as a lifeline does, for the end of its socket and for the manager's pidfd.
// Then it gives the cgroup the grace, less if all end earlier, ends what is left, and removes the directory.
//
// What is left: a keeper that is killed together with its manager.
#include "process/cgroup_files.hpp"
#include "process/frame.hpp"
#include "process/process_main.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/process_calls.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lastcall::detail {

namespace {

void say(const raw_fd& life, std::string_view text) noexcept {
  const sys::piece bytes{text.data(), text.size()};
  sys::send_now(life.number(), {&bytes, 1});
}

// True once the manager has gone, false when it needs no keeper any more.
bool manager_goes(const raw_fd& life, const raw_fd& manager) noexcept {
  for (;;) {
    std::array<sys::awaited, 2> watched{{{life.number(), sys::readable}, {manager.number(), sys::readable}}};
    sys::poll_many(watched, -1);
    life_note note;
    const auto size = sys::receive_now(life.number(), &note, sizeof note);
    if (size == sizeof note) return false;
    if (watched[1].found != 0 || (size != -EAGAIN && size != -EINTR)) return true;
  }
}

std::optional<cgroup_files> found(const raw_fd& life) noexcept {
  try {
    std::string path(4096, '\0');
    const auto size = sys::receive_now(life.number(), path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return cgroup_files{std::move(path)};
  } catch (const std::exception& error) {
    say(life, error.what());
    return std::nullopt;
  }
}

} // namespace

int run_keeper(const process_setup& setup, std::vector<raw_fd>& fds) {
  if (fds.size() != 1) return no_sense;
  constexpr auto patience = std::chrono::seconds{5};
  const raw_fd& life = fds.front();
  sys::set_signal_mask(~std::uint64_t{0});
  const raw_fd manager = raw_fd::own(sys::pidfd_open(setup.manager));
  sys::set_parent_death_signal(SIGCONT); // should it be stopped, it looks
  const auto files = found(life);
  if (!files) return no_sense;
  say(life, its_first_word);
  if (!manager_goes(life, manager)) return 0;
  if (!files->emptied_within(duration{setup.orphan_grace_ns})) {
    files->kill();
    files->emptied_within(patience);
  }
  files->remove();
  return 0;
}

} // namespace lastcall::detail
