// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/stillness.hpp"

#include "tracer/call_naming.hpp"

#include <algorithm>
#include <set>

namespace checker {
namespace {

bool shows_descriptor(const std::string& call) {
  static const std::set<std::string, std::less<>> calls{
      "read",  "readv",  "write",  "writev",     "recvfrom", "recvmsg", "flock",
      "fcntl", "sendto", "accept", "epoll_wait", "accept4",  "sendmsg", "connect"};
  return calls.contains(call);
}

/// A call as a reader wants it: with its descriptor, without anything read from the thread's memory.
std::string short_name(const call_entry& call) {
  const auto& name = call_name(call.number);
  if (!shows_descriptor(name)) return name + "()";
  return name + '(' + std::to_string(static_cast<int>(call.arguments[0])) + ')';
}

/// In a sleep that a signal ends. In the other one ('D') it waits for the kernel or a disk, which come by
/// themselves and may take their time.
constexpr bool is_asleep(char state) { return state == 'S'; }
constexpr bool is_dead(char state) { return state == 'Z' || state == 'X' || state == '?'; }

} // namespace

std::uint64_t stillness::fingerprint(const family& subject) {
  // 0 means: somebody runs.
  std::uint64_t sum = 1;
  kind_ = wait_kind::forever;
  is_ready_ = false;
  bool somebody = false;
  for (const auto& [thread, one] : subject.members()) {
    const char state = files_.state(thread);
    if (is_dead(state)) continue;
    is_ready_ = state == 'R' || (state == 't' && !one.is_listening);
    if (!is_asleep(state) || files_.is_ending(thread)) return 0;
    const auto call = files_.current_call(thread);
    const auto kind = call ? kind_of_wait(*call) : wait_kind::none;
    if (kind == wait_kind::none) return 0;
    if (kind == wait_kind::timed) kind_ = wait_kind::timed;
    somebody = true;
    constexpr std::uint64_t mix = 1099511628211ULL; // FNV's prime
    sum = (sum ^ static_cast<std::uint64_t>(thread)) * mix;
    sum = (sum ^ files_.voluntary_switches(thread)) * mix;
  }
  return somebody ? sum | 1U : 0;
}

void stillness::look(const family& subject, seconds now) {
  const auto seen = fingerprint(subject);
  if (seen == 0 || seen != last_ || !all_wait_) since_ = now;
  all_wait_ = seen != 0;
  ++looks_;
  if (!all_wait_) ++busy_looks_;
  if (is_ready_) ++ready_looks_;
  last_ = seen;
  last_look_ = now;
}

bool stillness::is_for_ever(const family& subject) const {
  if (!all_wait_ || kind_ != wait_kind::forever) return false;
  return std::ranges::none_of(subject.members(), [&](const auto& entry) {
    return entry.first == entry.second.process && files_.has_armed_timer(entry.first);
  });
}

bool is_ending(const family& subject, const process_files& files) {
  return std::ranges::all_of(subject.members(), [&](const auto& entry) {
    return is_dead(files.state(entry.first)) || files.is_ending(entry.first);
  });
}

std::vector<thread_state> describe_threads(const family& subject, const process_files& files) {
  std::vector<thread_state> result;
  for (const auto& [thread, one] : subject.members()) {
    thread_state state;
    state.role = one.role;
    state.command = files.command(thread);
    state.state = files.state(thread);
    if (is_dead(state.state) || files.is_ending(thread)) continue;
    if (const auto call = files.current_call(thread)) state.call = short_name(*call);
    state.channel = files.wait_channel(thread);
    result.push_back(std::move(state));
  }
  std::ranges::sort(result, {}, &thread_state::role);
  return result;
}

} // namespace checker
