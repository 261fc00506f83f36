// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stacks/refusal.hpp"

#include "sys/thread_files.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

namespace lastcall::stacks {

namespace {

std::string as_words(int error) { return std::error_code{error, std::generic_category()}.message(); }

std::string contents_of(const char* file) {
  std::array<char, 4096> bytes{};
  const auto size = sys::read_file(file, bytes.data(), bytes.size());
  return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

int tracer_of(pid_t thread) {
  std::array<char, 4096> bytes{};
  const auto size = sys::read_thread_file(thread, "status", bytes.data(), bytes.size());
  const std::string_view status{bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  constexpr std::string_view word = "\nTracerPid:\t";
  const auto at = status.find(word);
  int tracer = 0;
  if (at != std::string_view::npos)
    std::from_chars(status.data() + at + word.size(), status.data() + status.size(), tracer);
  return tracer;
}

} // namespace

std::string refusal_of(pid_t thread, int error) {
  switch (error) {
  case ESRCH: return "the thread has ended";
  case ETIMEDOUT: return "the thread did not come to a halt in time";
  case ECHILD: return "the process that was to take it has been killed";
  case EPERM: break;
  default: return "ptrace: " + as_words(error);
  }
  if (const int tracer = tracer_of(thread); tracer != 0)
    return "process " + std::to_string(tracer) + " traces the thread already (a debugger, strace)";
  const std::string scope = contents_of("/proc/sys/kernel/yama/ptrace_scope");
  if (scope.starts_with('2') || scope.starts_with('3'))
    return "this system forbids ptrace (kernel.yama.ptrace_scope = " + scope.substr(0, 1) + ")";
  return "ptrace is not permitted (the process is not dumpable, or a security module or container forbids "
         "it)";
}

std::string failure_of_sampling(int error) {
  switch (error) {
  case EOPNOTSUPP:
    return "there is a seccomp filter that this kernel may answer by ending the process, or no way on this "
           "processor";
  case EBUSY: return "the process that takes it does not end";
  default: return "no process could be made to take it: " + as_words(error);
  }
}

} // namespace lastcall::stacks
