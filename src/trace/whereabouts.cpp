// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/trace/whereabouts.hpp>

#include "sys/thread_files.hpp"
#include "sys/waiting_call.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

namespace lastcall {

namespace {

constinit std::atomic<stack_source> the_source{nullptr};

// A file's first line, with what would disturb a report replaced; empty when it cannot be read.
std::string line_of(pid_t thread, const char* name) {
  std::array<char, 512> bytes{};
  const auto size = sys::read_thread_file(thread, name, bytes.data(), bytes.size());
  if (size <= 0) return {};
  std::string line{bytes.data(), static_cast<std::size_t>(size)};
  line.erase(std::min(line.find('\n'), line.size()));
  for (char& each : line)
    if (static_cast<unsigned char>(each) < ' ' || each == '\x7f') each = '?';
  return line;
}

// Why nothing can be read of a thread; 0 where it can. A file that could not be opened for another reason
// than that there is no such thread says nothing about it.
int refusal_of(pid_t thread) {
  char byte = 0;
  const auto result = sys::read_thread_file(thread, "comm", &byte, 1);
  return result < 0 ? static_cast<int>(-result) : 0;
}

std::string_view state_in(std::string_view stat) {
  // "1234 (name) S …": a name may hold anything, brackets too.
  const auto bracket = stat.rfind(')');
  if (bracket == std::string_view::npos || bracket + 2 >= stat.size()) return {};
  switch (stat[bracket + 2]) {
  case 'R': return "running";
  case 'S': return "asleep";
  case 'D': return "asleep, uninterruptibly";
  case 'T': return "stopped";
  case 't': return "stopped by a tracer";
  case 'Z':
  case 'X': return "ended";
  default: return {};
  }
}

// "0 0x3 0x7ffe… 0x7ffe… 0x7f1c…" or "running"; "-1 …" when it sleeps in no call.
std::string call_in(std::string_view line) {
  long number = -1;
  const auto [rest, wrong] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (wrong != std::errc{} || number < 0) return {};
  const auto call = sys::waiting_call_of(number);
  std::string text = call.name.empty() ? "system call " + std::to_string(number) : std::string{call.name};
  const std::string_view arguments = line.substr(static_cast<std::size_t>(rest - line.data()));
  if (!arguments.starts_with(" 0x")) return text;
  const std::string_view first = arguments.substr(3, arguments.find(' ', 3) - 3);
  if (call.first == sys::first_argument::word) text.append("(0x").append(first).append(")");
  if (call.first == sys::first_argument::descriptor) {
    unsigned long fd = 0;
    std::from_chars(first.data(), first.data() + first.size(), fd, 16);
    text.append("(fd ").append(std::to_string(static_cast<int>(fd))).append(")");
  }
  return text;
}

} // namespace

std::string kernel_whereabouts_of(pid_t thread) {
  const std::string stat = line_of(thread, "stat"), number = "(" + std::to_string(thread) + ")";
  if (stat.empty()) {
    const int refused = refusal_of(thread);
    if (refused == ENOENT || refused == ESRCH) return number + ": no such thread any more";
    if (refused != 0)
      return number +
             ": the kernel cannot be asked: " + std::error_code{refused, std::generic_category()}.message();
  }
  const std::string name = line_of(thread, "comm");
  std::string text = name.empty() ? number : "\"" + name + "\" " + number;
  const std::string_view state = state_in(stat);
  if (!state.empty()) text.append(": ").append(state);
  if (!state.starts_with("asleep")) return text;
  if (const std::string call = call_in(line_of(thread, "syscall")); !call.empty())
    text.append(" in ").append(call);
  if (const std::string channel = line_of(thread, "wchan"); !channel.empty() && channel != "0")
    text.append(" (wchan ").append(channel).append(")");
  return text;
}

std::string whereabouts_of(pid_t thread) {
  return std::move(whereabouts_of(std::span{&thread, 1}, deadline::after(longest_look)).front());
}

std::vector<std::string> whereabouts_of(std::span<const pid_t> threads, deadline until) {
  // Pairs with the release of exchange_stack_source: what the source was set up with is seen by its calls.
  const stack_source source = the_source.load(std::memory_order_acquire);
  std::vector<std::string> all;
  std::string failed;
  if (source != nullptr && !threads.empty() && !until.expired()) {
    try {
      all = source(threads, until);
    } catch (const std::exception& failure) {
      failed = std::string{"\n    no stack: "}.append(failure.what());
    } catch (...) {
      failed = "\n    no stack: the source of stacks failed";
    }
  }
  // One that failed has said nothing; one that said too little is made up for.
  all.resize(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i)
    if (all[i].empty()) all[i] = kernel_whereabouts_of(threads[i]).append(failed);
  return all;
}

stack_source exchange_stack_source(stack_source next) noexcept {
  return the_source.exchange(next, std::memory_order_acq_rel);
}

} // namespace lastcall
