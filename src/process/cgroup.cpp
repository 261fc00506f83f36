// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/cgroup.hpp>

#include "interrupt/await_descriptor.hpp"
#include "process/cgroup_files.hpp"
#include "process/cgroup_place.hpp"
#include "process/frame.hpp"
#include "process/launched_process.hpp"
#include "process/process_main.hpp"
#include "runtime/standard_output.hpp"
#include "sys/admit.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/file_calls.hpp"
#include "sys/incarnation.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace lastcall {

namespace {

constexpr auto patience = std::chrono::seconds{1};

std::string content_of(const char* path) {
  const int fd = sys::open_path(path, sys::open_for::reading);
  if (fd < 0) sys::throw_failure(sys::call::openat, -fd, path);
  const raw_fd file = raw_fd::own(fd);
  std::string all;
  std::array<char, 4096> some;
  for (;;) {
    const auto size = sys::read_at(fd, some.data(), some.size(), static_cast<std::int64_t>(all.size()));
    if (size < 0) sys::throw_failure(sys::call::read, static_cast<int>(-size), path);
    if (size == 0) return all;
    all.append(some.data(), static_cast<std::size_t>(size));
  }
}

std::string parent_directory() {
  auto place = detail::cgroup_place_of(content_of("/proc/self/mountinfo"), content_of("/proc/self/cgroup"));
  if (!place.trouble.empty()) throw std::system_error{ENODEV, std::system_category(), place.trouble};
  return std::move(place.directory);
}

// A name that is not there yet; one may be left of a process that had this number before.
std::string make_directory() {
  static std::atomic<unsigned> made{0};
  constexpr int most_tries = 1000;
  const std::string begin = parent_directory() + "/lastcall-" + std::to_string(sys::getpid()) + '-';
  for (int tries = 1;; ++tries) {
    std::string path = begin + std::to_string(made.fetch_add(1, std::memory_order_relaxed)); // only a number
    const int result = sys::make_directory(path.c_str());
    if (result >= 0) return path;
    if (result != -EEXIST || tries == most_tries) sys::throw_failure(sys::call::mkdir, -result, path.c_str());
  }
}

detail::cgroup_files open_or_remove(const std::string& path) {
  try {
    return detail::cgroup_files{path};
  } catch (...) {
    sys::remove_directory(path.c_str());
    throw;
  }
}

template <class... Arguments>
std::optional<cgroup> attempt(std::string& why, Arguments&&... arguments) {
  try {
    return std::optional<cgroup>{std::in_place, std::forward<Arguments>(arguments)...};
  } catch (const std::system_error& error) {
    why = error.what();
    return std::nullopt;
  }
}

} // namespace

struct cgroup::state {
  detail::cgroup_files files = open_or_remove(make_directory());
  sys::incarnation made_in = (sys::prepare_incarnation(), sys::this_incarnation());
  raw_fd life; ///< of the keeper
  std::unique_ptr<detail::launched_process> keeper;

  void hire(process_source& from, duration grace);
  void dismiss() const noexcept;
  bool keeper_ended(deadline until) const noexcept;
};

void cgroup::state::hire(process_source& from, duration grace) {
  int ends[2];
  if (const int result = sys::make_channel(sys::channel_kind::packet, ends); result < 0)
    sys::throw_failure(sys::call::socketpair, -result, "a keeper's lifeline");
  life = raw_fd::own(ends[0]);
  {
    const raw_fd theirs = raw_fd::own(ends[1]);
    const sys::piece path{files.path().data(), files.path().size()};
    if (const auto sent = sys::send_now(life.number(), {&path, 1}); sent < 0)
      sys::throw_failure(sys::call::sendmsg, static_cast<int>(-sent), "a keeper's orders");
    detail::process_setup setup;
    setup.what = detail::process_setup::role::keeper;
    setup.manager = sys::getpid();
    setup.orphan_grace_ns = grace.count();
    const int fd = theirs.number();
    keeper = from.launch(setup, {&fd, 1});
  }
  constexpr auto bootstrap_within = std::chrono::seconds{5};
  const auto refuse = [&](int error, std::string_view why) {
    const std::string text = "the keeper of " + files.path() + " (";
    throw std::system_error{error, std::system_category(), text + std::string{why} + ')'};
  };
  const deadline until = deadline::after(bootstrap_within);
  if (!detail::await_readable(life.number(), until)) refuse(ETIMEDOUT, "its first word");
  std::array<char, 512> text{};
  const auto size = sys::receive_now(life.number(), text.data(), text.size());
  const std::string_view said{text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  while (keeper->look(), keeper->pid() == 0 && !keeper->end())
    if (!detail::await_readable(keeper->watched(), until)) refuse(ETIMEDOUT, "its source's word");
  if (said == detail::its_first_word) return;
  if (keeper->birth_error() != 0) refuse(keeper->birth_error(), sys::name_of(keeper->birth_failed_at()));
  refuse(ECHILD, said.empty() ? "it has ended" : said);
}

void cgroup::state::dismiss() const noexcept {
  if (keeper == nullptr) return;
  const detail::life_note note{};
  const sys::piece bytes{&note, sizeof note};
  sys::send_now(life.number(), {&bytes, 1});
  if (keeper_ended(deadline::after(patience))) return;
  keeper->signal(SIGKILL);
  keeper_ended(deadline::after(patience));
}

bool cgroup::state::keeper_ended(deadline until) const noexcept {
  wait::lock_set_aside aside;
  for (keeper->look(); !keeper->end(); keeper->look()) {
    sys::awaited what{keeper->watched(), sys::readable};
    if (sys::poll_many({&what, 1}, until.remaining().count()) == 0) return false;
  }
  return true;
}

cgroup::cgroup() : state_{std::make_unique<state>()} {}

cgroup::cgroup(process_source& from, duration orphan_grace) : cgroup() { state_->hire(from, orphan_grace); }

cgroup::~cgroup() {
  if (state_->made_in != sys::this_incarnation()) return;
  state_->files.kill();
  state_->files.emptied_within(patience);
  const int result = state_->files.remove();
  if (result < 0 && result != -ENOENT)
    for (const std::string_view part :
         {std::string_view{"lastcall: cgroup "}, std::string_view{path()},
          std::string_view{result == -EBUSY ? " is not empty after its kill and is left behind\n"
                                            : " cannot be removed and is left behind\n"}})
      detail::tell_standard_error(part, std::chrono::milliseconds{100});
  state_->dismiss();
}

std::optional<cgroup> cgroup::try_make(std::string& why) { return attempt(why); }

std::optional<cgroup> cgroup::try_make(process_source& from, std::string& why, duration orphan_grace) {
  return attempt(why, from, orphan_grace);
}

const std::string& cgroup::path() const noexcept { return state_->files.path(); }

int cgroup::entrance() const noexcept { return state_->files.entrance(); }

int cgroup::keeper_pid() const noexcept { return state_->keeper == nullptr ? 0 : state_->keeper->pid(); }

bool cgroup::empty() const {
  const int found = state_->files.populated();
  if (found < 0) sys::throw_failure(sys::call::read, -found, (path() + "/cgroup.events").c_str());
  return found == 0;
}

std::vector<pid_t> cgroup::processes() const {
  for (std::vector<pid_t> all(16);;) {
    const int count = state_->files.list(all);
    if (count == -ENODEV) return {};
    if (count < 0) sys::throw_failure(sys::call::read, -count, (path() + "/cgroup.procs").c_str());
    const bool whole = static_cast<std::size_t>(count) <= all.size();
    all.resize(static_cast<std::size_t>(count));
    if (whole) return all;
  }
}

bool cgroup::kill() noexcept { return state_->files.kill(); }

bool cgroup::wait_until(deadline until) {
  while (!empty())
    if (!detail::await_change(state_->files.events(), until)) return empty();
  return true;
}

} // namespace lastcall
