// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/waits.hpp"

#include "tracer/call_naming.hpp"

#include <linux/futex.h>

#include <fcntl.h>
#include <string_view>
#include <unordered_map>

namespace checker {
namespace {

// Where the time limit of a call stands. `event`: it has none, an event ends it. `pointer N`: argument N
// points to a time, null meaning none. `milliseconds N`: argument N, negative meaning none.
struct limit {
  enum class kind { event, always, pointer, milliseconds, futex, lock } how;
  std::size_t argument = 0;
};

const std::unordered_map<std::string_view, limit>& sleepers() {
  using enum limit::kind;
  static const std::unordered_map<std::string_view, limit> table{
      {"read", {event}},
      {"readv", {event}},
      {"write", {event}},
      {"writev", {event}},
      {"recvfrom", {event}},
      {"recvmsg", {event}},
      {"recvmmsg", {pointer, 4}},
      {"sendto", {event}},
      {"sendmsg", {event}},
      {"sendmmsg", {event}},
      {"accept", {event}},
      {"accept4", {event}},
      {"connect", {event}},
      {"open", {event}},
      {"openat", {event}},
      {"flock", {event}},
      {"fcntl", {lock}},
      {"pause", {event}},
      {"rt_sigsuspend", {event}},
      {"wait4", {event}},
      {"waitid", {event}},
      {"poll", {milliseconds, 2}},
      {"ppoll", {pointer, 2}},
      {"select", {pointer, 4}},
      {"pselect6", {pointer, 4}},
      {"epoll_wait", {milliseconds, 3}},
      {"epoll_pwait", {milliseconds, 3}},
      {"epoll_pwait2", {pointer, 3}},
      {"rt_sigtimedwait", {pointer, 2}},
      {"futex", {futex, 3}},
      {"nanosleep", {always}},
      {"clock_nanosleep", {always}},
      {"restart_syscall", {always}},
      {"msgrcv", {event}},
      {"msgsnd", {event}},
      {"semop", {event}},
      {"semtimedop", {pointer, 3}},
      {"mq_timedreceive", {pointer, 4}},
      {"io_uring_enter", {event}},
      {"splice", {event}},
      {"sendfile", {event}},
      {"tee", {event}},
      {"copy_file_range", {event}},
  };
  return table;
}

wait_kind timed_unless(bool no_limit) { return no_limit ? wait_kind::forever : wait_kind::timed; }

wait_kind futex_wait(const call_entry& entry, std::size_t time_argument) {
  switch (entry.arguments[1] & FUTEX_CMD_MASK) {
  case FUTEX_WAIT:
  case FUTEX_WAIT_BITSET:
  case FUTEX_LOCK_PI:
  case FUTEX_LOCK_PI2: return timed_unless(entry.arguments[time_argument] == 0);
  default: return wait_kind::none;
  }
}

wait_kind file_lock(const call_entry& entry) {
  const auto command = static_cast<int>(entry.arguments[1]);
  return command == F_SETLKW || command == F_OFD_SETLKW ? wait_kind::forever : wait_kind::none;
}

} // namespace

wait_kind kind_of_wait(const call_entry& entry) {
  const auto found = sleepers().find(call_name(entry.number));
  if (found == sleepers().end()) return wait_kind::none;
  const auto [how, argument] = found->second;
  switch (how) {
  case limit::kind::event: return wait_kind::forever;
  case limit::kind::always: return wait_kind::timed;
  case limit::kind::pointer: return timed_unless(entry.arguments[argument] == 0);
  case limit::kind::milliseconds: return timed_unless(static_cast<int>(entry.arguments[argument]) < 0);
  case limit::kind::futex: return futex_wait(entry, argument);
  case limit::kind::lock: return file_lock(entry);
  }
  return wait_kind::none;
}

} // namespace checker
