// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/process_files.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace checker {
namespace {

std::uint64_t signal_bit(int signal) { return std::uint64_t{1} << (signal - 1); }

/// The text after "name:" in the lines of a status file; empty where there is no such line.
std::string_view after_label(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const bool at_line_start = at == 0 || text[at - 1] == '\n';
    const auto colon = at + name.size();
    if (at_line_start && colon < text.size() && text[colon] == ':') return text.substr(colon + 1);
  }
  return {};
}

/// The place of a field of a stat file behind the thread's name, the state being 0.
enum class stat_field { flags = 6, user_ticks = 11, system_ticks = 12 };

/// What stands after the name, "S …": the name may hold anything, so the last parenthesis counts.
std::string_view after_name(std::string_view stat) {
  const auto close = stat.rfind(')');
  return close == std::string_view::npos || close + 2 >= stat.size() ? std::string_view{}
                                                                     : stat.substr(close + 2);
}

/// 0 where there is none.
std::uint64_t stat_number(const std::string& stat, stat_field which) {
  auto rest = after_name(stat);
  for (int place = 0; place < static_cast<int>(which); ++place) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return 0;
    rest.remove_prefix(space + 1);
  }
  return rest.empty() ? 0 : std::strtoull(rest.data(), nullptr, 10);
}

} // namespace

process_files::process_files() : proc_(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (proc_ < 0) throw std::system_error(errno, std::generic_category(), "open /proc");
}

process_files::~process_files() { ::close(proc_); }

std::string process_files::read(pid_t thread, const char* name) const {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "%d/%s", thread, name);
  const int fd = ::openat(proc_, path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::array<char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const auto got = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string{};
}

std::uint64_t process_files::status_field(pid_t thread, const char* name, int base) const {
  const auto text = read(thread, "status");
  const auto rest = after_label(text, name);
  return rest.empty() ? 0 : std::strtoull(rest.data(), nullptr, base);
}

char process_files::state(pid_t thread) const {
  const auto text = read(thread, "stat");
  const auto fields = after_name(text);
  return fields.empty() ? '?' : fields.front();
}

bool process_files::is_ending(pid_t thread) const {
  constexpr unsigned exiting = 0x4; // the kernel's PF_EXITING
  return (stat_number(read(thread, "stat"), stat_field::flags) & exiting) != 0;
}

std::string process_files::command(pid_t thread) const {
  auto text = read(thread, "comm");
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string process_files::wait_channel(pid_t thread) const {
  auto text = read(thread, "wchan");
  return text == "0" ? std::string{} : text;
}

std::uint64_t process_files::voluntary_switches(pid_t thread) const {
  return status_field(thread, "voluntary_ctxt_switches", 10);
}

std::uint64_t process_files::processor_ticks(pid_t process) const {
  const auto text = read(process, "stat");
  return stat_number(text, stat_field::user_ticks) + stat_number(text, stat_field::system_ticks);
}

pid_t process_files::process_of(pid_t thread) const {
  return static_cast<pid_t>(status_field(thread, "Tgid", 10));
}

bool process_files::blocks(pid_t thread, int signal) const {
  return (status_field(thread, "SigBlk", 16) & signal_bit(signal)) != 0;
}

bool process_files::waits_for(pid_t thread, int signal) const {
  const auto call = current_call(thread);
  if (!call || call->number != SYS_rt_sigtimedwait) return false;
  std::uint64_t awaited = 0;
  const iovec here{.iov_base = &awaited, .iov_len = sizeof awaited};
  const iovec there{.iov_base = reinterpret_cast<void*>(call->arguments[0]), .iov_len = sizeof awaited};
  if (::process_vm_readv(thread, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof awaited))
    return false;
  return (awaited & signal_bit(signal)) != 0;
}

bool process_files::ignores(pid_t thread, int signal) const {
  return (status_field(thread, "SigIgn", 16) & signal_bit(signal)) != 0;
}

std::optional<call_entry> process_files::current_call(pid_t thread) const {
  const auto text = read(thread, "syscall"); // "running", or "number arg0 … arg5 sp pc" in hexadecimal
  call_entry entry;
  const char* at = text.c_str();
  char* end = nullptr;
  entry.number = std::strtoll(at, &end, 10); // NOLINT(readability-magic-numbers): decimal
  if (end == at) return std::nullopt;
  for (auto& argument : entry.arguments) {
    at = end;
    argument = std::strtoull(at, &end, 16); // NOLINT(readability-magic-numbers): hexadecimal
    if (end == at) return std::nullopt;
  }
  return entry;
}

bool process_files::has_armed_timer(pid_t process) const {
  if (!read(process, "timers").empty()) return true;
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "%d/fd", process);
  const int fd = ::openat(proc_, path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* directory = fd < 0 ? nullptr : ::fdopendir(fd);
  if (directory == nullptr) return false;
  bool armed = false;
  while (const dirent* name = ::readdir(directory)) {
    std::array<char, 64> target{};
    const auto length = ::readlinkat(fd, name->d_name, target.data(), target.size() - 1);
    if (length <= 0 || std::strcmp(target.data(), "anon_inode:[timerfd]") != 0) continue;
    const auto info = read(process, (std::string{"fdinfo/"} + name->d_name).c_str());
    const auto value = after_label(info, "it_value"); // " (seconds, nanoseconds)", both 0 when disarmed
    armed = armed || value.substr(0, value.find('\n')) != " (0, 0)";
  }
  ::closedir(directory);
  return armed;
}

} // namespace checker
