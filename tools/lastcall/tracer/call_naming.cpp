// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/call_naming.hpp"

#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/uio.h>
#include <unordered_map>

namespace checker {
namespace {

// What to show of a call's arguments, one letter each: p path, d descriptor, o open flags, s signal,
// - nothing. A call that is not listed shows none.
const std::unordered_map<std::string_view, std::string_view>& argument_kinds() {
  static const std::unordered_map<std::string_view, std::string_view> kinds{
      {"open", "po"},
      {"openat", "-po"},
      {"openat2", "-p"},
      {"creat", "p"},
      {"stat", "p"},
      {"lstat", "p"},
      {"newfstatat", "dp"},
      {"statx", "dp"},
      {"access", "p"},
      {"faccessat", "-p"},
      {"faccessat2", "-p"},
      {"readlink", "p"},
      {"readlinkat", "-p"},
      {"chdir", "p"},
      {"rmdir", "p"},
      {"unlink", "p"},
      {"unlinkat", "-p"},
      {"mkdir", "p"},
      {"mkdirat", "-p"},
      {"truncate", "p"},
      {"chmod", "p"},
      {"fchmodat", "-p"},
      {"chown", "p"},
      {"lchown", "p"},
      {"fchownat", "-p"},
      {"utimensat", "dp"},
      {"rename", "pp"},
      {"renameat", "-p-p"},
      {"renameat2", "-p-p"},
      {"link", "pp"},
      {"linkat", "-p-p"},
      {"symlink", "pp"},
      {"symlinkat", "p-p"},
      {"execve", "p"},
      {"execveat", "-p"},
      {"statfs", "p"},
      {"read", "d"},
      {"write", "d"},
      {"readv", "d"},
      {"writev", "d"},
      {"pread64", "d"},
      {"pwrite64", "d"},
      {"close", "d"},
      {"fstat", "d"},
      {"lseek", "d"},
      {"ioctl", "d"},
      {"fcntl", "d"},
      {"dup", "d"},
      {"dup2", "dd"},
      {"dup3", "dd"},
      {"flock", "d"},
      {"fsync", "d"},
      {"fdatasync", "d"},
      {"ftruncate", "d"},
      {"fallocate", "d"},
      {"getdents64", "d"},
      {"fchmod", "d"},
      {"fchown", "d"},
      {"sendto", "d"},
      {"recvfrom", "d"},
      {"sendmsg", "d"},
      {"recvmsg", "d"},
      {"accept", "d"},
      {"accept4", "d"},
      {"connect", "d"},
      {"bind", "d"},
      {"listen", "d"},
      {"shutdown", "d"},
      {"epoll_wait", "d"},
      {"epoll_pwait", "d"},
      {"epoll_ctl", "d-d"},
      {"sendfile", "dd"},
      {"splice", "d"},
      {"fadvise64", "d"},
      {"signalfd4", "d"},
      {"timerfd_settime", "d"},
      {"rt_sigaction", "s"},
      {"kill", "-s"},
      {"tgkill", "--s"},
      {"syncfs", "d"},
      {"copy_file_range", "d-d"},
  };
  return kinds;
}

struct flag {
  std::uint64_t bit;
  std::string_view name;
};

std::string open_flags(std::uint64_t value) {
  static constexpr std::array flags{flag{O_CREAT, "O_CREAT"}, flag{O_EXCL, "O_EXCL"},
                                    flag{O_TRUNC, "O_TRUNC"}, flag{O_APPEND, "O_APPEND"},
                                    flag{O_DIRECTORY, "O_DIRECTORY"}};
  static constexpr std::array<std::string_view, 4> modes{"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  std::string text{modes[value & O_ACCMODE]};
  for (const auto& f : flags) {
    if ((value & f.bit) != 0) text.append("|").append(f.name);
  }
  return text;
}

std::string read_string(pid_t thread, std::uint64_t address) {
  // Page by page: the string may end just before a page that is not mapped.
  constexpr std::size_t page = 4096;
  constexpr std::size_t longest = 4096;
  std::string text;
  std::array<char, page> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
  while (text.size() < longest) {
    const auto length = page - address % page;
    iovec here{buffer.data(), length};
    iovec there{reinterpret_cast<void*>(address),
                length}; // NOLINT(performance-no-int-to-ptr): another process's
    const auto got = ::process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (got <= 0) break;
    const auto* end = static_cast<const char*>(std::memchr(buffer.data(), 0, static_cast<std::size_t>(got)));
    if (end != nullptr) return text.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    text.append(buffer.data(), static_cast<std::size_t>(got));
    address += static_cast<std::uint64_t>(got);
  }
  return text;
}

bool replace_directory(std::string& path, const std::string& directory, std::string_view shown) {
  if (directory.empty() || !path.starts_with(directory)) return false;
  if (path.size() > directory.size() && path[directory.size()] != '/') return false;
  path.replace(0, directory.size(), shown);
  return true;
}

std::string signal_text(std::uint64_t number) {
  const char* name = ::sigabbrev_np(static_cast<int>(number));
  return name != nullptr ? "SIG" + std::string{name} : std::to_string(number);
}

} // namespace

const std::string& call_name(std::int64_t number) {
  static std::unordered_map<std::int64_t, std::string> known;
  auto [at, is_new] = known.try_emplace(number);
  if (is_new) {
    char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
    at->second = name != nullptr ? std::string{name} : "syscall_" + std::to_string(number);
    std::free(name); // NOLINT(cppcoreguidelines-no-malloc): the library's contract
  }
  return at->second;
}

std::int64_t call_number(std::string_view call_text) {
  const std::string name{call_text.substr(0, call_text.find('('))};
  const int number = ::seccomp_syscall_resolve_name(name.c_str());
  return number < 0 ? -1 : number;
}

std::string call_naming::path_text(pid_t thread, std::uint64_t address) const {
  auto path = read_string(thread, address);
  if (!replace_directory(path, tmp_, "$TMPDIR") && replace_directory(path, work_, ".") && path.empty())
    path = ".";
  // Relative to the working directory or not is the program's choice; a reader wants one name.
  if (!path.empty() && path.front() != '/' && path.front() != '.' && path.front() != '$')
    path.insert(0, "./");
  for (char& c : path) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return path;
}

std::string call_naming::name(pid_t thread, const call_entry& entry) const {
  const auto& base = call_name(entry.number);
  std::string text = base + '(';
  const auto known = argument_kinds().find(base);
  const auto kinds = known == argument_kinds().end() ? std::string_view{} : known->second;
  std::string separator;
  const auto add = [&](const std::string& part) {
    text.append(separator).append(part);
    separator = ",";
  };
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto value = entry.arguments[i];
    switch (kinds[i]) {
    case 'p':
      if (auto path = path_text(thread, value); !path.empty()) add(path);
      break;
    case 'd':
      if (static_cast<int>(value) != AT_FDCWD) add(std::to_string(static_cast<int>(value)));
      break;
    case 'o': add(open_flags(value)); break;
    case 's': add(signal_text(value)); break;
    default: break;
    }
  }
  text += ')';
  return masked(std::move(text));
}

std::string call_naming::masked(std::string text) const {
  for (const auto& mask : masks_) {
    const auto fixed = mask.before.size() + mask.after.size();
    if (text.size() < fixed || (mask.length != 0 && text.size() != fixed + mask.length)) continue;
    if (text.starts_with(mask.before) && text.ends_with(mask.after))
      return mask.before + mask.shown + mask.after;
  }
  return text;
}

} // namespace checker
