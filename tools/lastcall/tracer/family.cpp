// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/family.hpp"

namespace checker {

std::string process_role(const std::string& role) {
  // "0/2.1" is a process (a child of thread 2), "0/2.1/3" a thread of it: what follows the last slash is a
  // thread's number only where no dot comes after it.
  const auto slash = role.rfind('/');
  if (slash == std::string::npos || role.find('.', slash) != std::string::npos) return role;
  return role.substr(0, slash);
}

tracee& family::found(pid_t process) {
  auto& first = members_[process];
  first.thread = first.process = process;
  first.role = "0";
  return first;
}

tracee* family::find(pid_t thread) {
  const auto at = members_.find(thread);
  return at == members_.end() ? nullptr : &at->second;
}

tracee& family::add_newcomer(pid_t thread) {
  auto& one = members_[thread];
  one.thread = one.process = thread;
  return one;
}

tracee& family::adopt(const tracee& creator, pid_t thread, pid_t process) {
  auto& one = members_[thread];
  one.thread = thread;
  one.process = process;
  one.command = creator.command;
  if (process == creator.process) {
    const auto owner = process_role(creator.role);
    one.role = owner + '/' + std::to_string(++threads_[owner]);
  } else {
    one.role = creator.role + '.' + std::to_string(++children_[creator.role]);
  }
  return one;
}

tracee* family::rename_after_exec(pid_t old_thread, pid_t process) {
  if (old_thread != process) {
    const auto at = members_.find(old_thread);
    if (at == members_.end()) return find(process);
    const auto moved = at->second;
    members_.erase(at);
    auto& leader = members_[process];
    leader = moved;
    leader.thread = process;
    leader.role = process_role(moved.role);
  }
  // The other threads are gone without a word of their own.
  std::erase_if(members_, [&](const auto& entry) {
    return entry.second.process == process && entry.second.thread != process;
  });
  return find(process);
}

} // namespace checker
