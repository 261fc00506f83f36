// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lastcall::detail {

/// One process's end of a log: hands records over, each in one packet. Once a packet is in the socket it is
/// the log writer's, whatever becomes of who sent it.
///
/// Threads: any; a packet is never mixed with another.
class log_client {
public:
  static constexpr std::size_t longest = 32UL * 1024; ///< of a record

  void begin(raw_fd to) noexcept { to_ = std::move(to); }
  void let_go() noexcept { to_ = {}; }
  int number() const noexcept { return to_.number(); }

  /// False where it was not handed over: no log, too long, the writer has ended, or there was no room for
  /// five seconds. Such records are counted.
  bool hand_over(std::string_view record) noexcept;
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
  raw_fd to_;
  std::atomic<std::uint64_t> refused_{0}; // a count, nothing is published by it
};

/// That of a worker.
log_client& the_log() noexcept;

} // namespace lastcall::detail
