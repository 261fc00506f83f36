// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stacks/stacks.hpp>

#include "stacks/look.hpp"
#include "sys/calls.hpp"
#include "sys/thread_files.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace lastcall {

namespace {

std::string in_hex(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  return std::string{"0x"}.append(digits, end);
}

void add_line(const stack_frame& frame, std::string& to) {
  to.append("\n    ");
  const std::string_view module = std::string_view{frame.module}.substr(frame.module.rfind('/') + 1);
  if (!frame.function.empty())
    to.append(frame.function);
  else
    to.append(in_hex(frame.address));
  if (!frame.file.empty()) {
    to.append(" at ").append(frame.file);
    if (frame.line > 0) to.append(":").append(std::to_string(frame.line));
  } else if (!module.empty()) {
    to.append(" in ").append(module);
    if (frame.function.empty()) to.append("+").append(in_hex(frame.offset));
  }
  if (frame.inlined) to.append(" (inlined)");
}

std::vector<std::string> as_texts(std::span<const pid_t> threads, deadline until) {
  std::vector<std::string> all;
  all.reserve(threads.size());
  for (const thread_stack& each : stacks_of(threads, until)) all.push_back(text_of(each));
  return all;
}

} // namespace

std::vector<thread_stack> stacks_of(std::span<const pid_t> threads, deadline until) {
  std::vector<thread_stack> all(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) {
    all[i].thread = threads[i];
    all[i].whereabouts = kernel_whereabouts_of(threads[i]);
  }
  stacks::look_at(all, until);
  return all;
}

thread_stack stack_of(pid_t thread, deadline until) {
  return std::move(stacks_of(std::span{&thread, 1}, until).front());
}

std::vector<thread_stack> all_stacks(deadline until) {
  std::vector<pid_t> threads(64);
  for (;;) {
    const int count = sys::list_threads(threads.data(), threads.size());
    if (count < 0) { // /proc is not there: the one that is known
      threads.assign(1, sys::gettid());
      break;
    }
    const bool fits = static_cast<std::size_t>(count) <= threads.size();
    threads.resize(static_cast<std::size_t>(count));
    if (fits) break;
  }
  return stacks_of(threads, until);
}

std::string text_of(const thread_stack& what) {
  std::string text = what.whereabouts;
  for (const stack_frame& each : what.frames) add_line(each, text);
  if (!what.missing.empty())
    text.append(what.frames.empty() ? "\n    no stack: " : "\n    … ").append(what.missing);
  return text;
}

stacks_in_reports::stacks_in_reports() noexcept : before_{exchange_stack_source(&as_texts)} {}

stacks_in_reports::~stacks_in_reports() { exchange_stack_source(before_); }

} // namespace lastcall
