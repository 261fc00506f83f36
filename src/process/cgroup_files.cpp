// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/cgroup_files.hpp"

#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/failure.hpp"
#include "sys/file_calls.hpp"
#include "sys/output.hpp"
#include "sys/process_calls.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <system_error>

namespace lastcall::detail {

namespace {

using namespace std::string_view_literals;

raw_fd opened(const std::string& path, sys::open_for what) {
  const int fd = sys::open_path(path.c_str(), what);
  if (fd < 0) sys::throw_failure(sys::call::openat, -fd, path.c_str());
  return raw_fd::own(fd);
}

// … which older kernels lack.
raw_fd opened_where_there(const std::string& path) {
  const int fd = sys::open_path(path.c_str(), sys::open_for::writing);
  if (fd < 0 && fd != -ENOENT) sys::throw_failure(sys::call::openat, -fd, path.c_str());
  return raw_fd::own(fd);
}

// A cgroup below one whose threads are in different ones takes no processes.
void check_kind(const std::string& path) {
  const raw_fd kind = opened(path, sys::open_for::reading);
  std::array<char, 64> text{};
  const auto size = sys::read_at(kind.number(), text.data(), text.size(), 0);
  if (size < 0) sys::throw_failure(sys::call::read, static_cast<int>(-size), path.c_str());
  const std::string_view found{text.data(), static_cast<std::size_t>(size)};
  if (found.starts_with("domain\n"sv)) return;
  sys::throw_failure(sys::call::read, EOPNOTSUPP,
                     (path + ": " + std::string{found.substr(0, found.find('\n'))}).c_str());
}

} // namespace

cgroup_files::cgroup_files(std::string path)
    : path_{std::move(path)},
      entrance_{opened(path_ + "/cgroup.procs", sys::open_for::both)},
      events_{opened(path_ + "/cgroup.events", sys::open_for::reading)},
      kill_{opened_where_there(path_ + "/cgroup.kill")},
      freeze_{opened_where_there(path_ + "/cgroup.freeze")} {
  check_kind(path_ + "/cgroup.type");
}

int cgroup_files::populated() const noexcept {
  std::array<char, 256> text{};
  const auto size = sys::read_at(events_.number(), text.data(), text.size(), 0);
  if (size == -ENODEV) return 0; // removed
  if (size < 0) return static_cast<int>(size);
  const std::string_view found{text.data(), static_cast<std::size_t>(size)};
  return found.find("populated 0"sv) == std::string_view::npos ? 1 : 0;
}

int cgroup_files::list(std::span<pid_t> into) const noexcept {
  std::array<char, 512> text{};
  std::size_t count = 0, kept = 0;
  for (std::int64_t from = 0;;) {
    const auto size = sys::read_at(entrance_.number(), text.data() + kept, text.size() - kept, from);
    if (size < 0) return static_cast<int>(size);
    if (size == 0) return static_cast<int>(count);
    from += size;
    const char *at = text.data(), *const end = at + kept + size;
    for (const char* line = end; (line = std::find(at, end, '\n')) != end; at = line + 1) {
      pid_t process = 0;
      std::from_chars(at, line, process);
      if (process == 0) continue; // of another pid namespace
      if (count < into.size()) into[count] = process;
      ++count;
    }
    kept = static_cast<std::size_t>(std::copy(at, end, text.begin()) - text.begin());
  }
}

bool cgroup_files::kill() const noexcept {
  constexpr auto one_by_one = std::chrono::seconds{1};
  if (!kill_.is_open()) return kill_each(one_by_one);
  const auto written = sys::write(kill_.number(), "1", 1);
  return written == 1 || written == -ENODEV;
}

// A number that was read may be somebody else's by the time it is used. So descriptors are taken first, and
// those are meant whose number is still in the list afterwards. Frozen, none of them starts another.
bool cgroup_files::kill_each(duration span) const noexcept {
  constexpr std::int64_t pause_ns = 1'000'000;
  const std::int64_t until = sys::monotonic_ns() + span.count();
  std::array<pid_t, 64> found{}, still{};
  std::array<int, 64> descriptors{};
  if (freeze_.is_open()) sys::write(freeze_.number(), "1", 1);
  int count = 0;
  while ((count = list(found)) > 0) {
    const auto known = std::min<std::size_t>(static_cast<std::size_t>(count), found.size());
    for (std::size_t i = 0; i < known; ++i) descriptors[i] = sys::pidfd_open(found[i]);
    const auto there = std::clamp<int>(list(still), 0, static_cast<int>(still.size()));
    for (std::size_t i = 0; i < known; ++i) {
      if (descriptors[i] < 0) continue;
      if (std::find(still.begin(), still.begin() + there, found[i]) != still.begin() + there)
        sys::pidfd_send_signal(descriptors[i], SIGKILL);
      sys::close_fd(descriptors[i]);
    }
    if (sys::monotonic_ns() >= until) break;
    sys::poll_many({}, pause_ns);
  }
  if (freeze_.is_open()) sys::write(freeze_.number(), "0", 1);
  return count == 0 || count == -ENODEV;
}

bool cgroup_files::emptied_within(duration span) const noexcept {
  wait::lock_set_aside aside;
  for (const std::int64_t until = sys::monotonic_ns() + span.count();;) {
    const int found = populated();
    const std::int64_t left = until - sys::monotonic_ns();
    if (found <= 0 || left <= 0) return found == 0;
    sys::awaited what{events_.number(), sys::changed};
    sys::poll_many({&what, 1}, left);
  }
}

int cgroup_files::remove() const noexcept { return sys::remove_directory(path_.c_str()); }

} // namespace lastcall::detail
