// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/log_client.hpp"

#include <lastcall/runtime/immortal.hpp>

#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "wait/lock_around_waits.hpp"

#include <cerrno>

namespace lastcall::detail {

log_client& the_log() noexcept {
  static immortal<log_client> only;
  return *only;
}

bool log_client::hand_over(std::string_view record) noexcept {
  constexpr std::int64_t patience = 5'000'000'000;
  std::int64_t until = 0;
  wait::lock_set_aside aside;
  long result = to_.is_open() && record.size() <= longest ? -EAGAIN : -EMSGSIZE;
  if (record.empty()) return to_.is_open();
  while (result == -EAGAIN || result == -EINTR) {
    const sys::piece bytes{record.data(), record.size()};
    result = sys::send_now(to_.number(), {&bytes, 1});
    if (result != -EAGAIN) continue;
    if (until == 0) until = sys::monotonic_ns() + patience;
    const std::int64_t left = until - sys::monotonic_ns();
    if (left <= 0) break;
    sys::awaited room{to_.number(), sys::writable};
    sys::poll_many({&room, 1}, left);
  }
  if (result >= 0) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

} // namespace lastcall::detail
