// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/incarnation.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>

#include <signal.h>

namespace lastcall::detail {

/// What a handler needs to write the numbers of signals into somebody's descriptor.
///
/// It writes into a duplicate: the number of the program's own may be closed and given to another file while
/// a handler is about to write.
///
/// A handler finds the writer by the one pointer in `custody`, and counts itself in (`feeding`) before it
/// follows it. `end` takes the pointer away and waits until nobody is in; after that the descriptor is
/// closed. A handler that is stuck in between keeps writer and descriptor alive for good.
class number_writer : public std::enable_shared_from_this<number_writer> {
public:
  using broken_function = std::function<void(std::error_code)>;

  /// Throws std::invalid_argument and std::system_error: see signal_scope::forward_numbers.
  number_writer(int fd, broken_function on_broken);
  ~number_writer();
  number_writer(const number_writer&) = delete;
  number_writer& operator=(const number_writer&) = delete;

  /// From now on handlers write.
  void begin() noexcept;
  /// From here on they do not. Any thread, also twice.
  void end() noexcept;
  bool ended() const noexcept { return ended_.load(std::memory_order_relaxed); }

  /// For a handler: async-signal-safe.
  void write(int signal) noexcept;

  std::uint64_t unwritten() const noexcept { return unwritten_.load(std::memory_order_relaxed); }
  int broken() const noexcept { return broken_.load(std::memory_order_relaxed); }
  /// The herald's: true once, when there is a failure to tell of; and telling.
  bool take_report() noexcept;
  void report() const;

private:
  const sys::incarnation process_;
  int fd_ = -1;
  bool socket_ = false;
  broken_function on_broken_;                 // the herald's, once begun
  bool reported_ = false;                     // likewise
  std::atomic<bool> ended_{false};            // relaxed: the exchange decides who ends it
  std::atomic<std::uint64_t> unwritten_{0};   // a counter
  std::atomic<int> broken_{0};                // relaxed: the errno is all there is
  std::shared_ptr<number_writer> kept_alive_; // by itself, for a stuck handler
};

/// For a handler: the number goes to the descriptor that was given, if one was. Async-signal-safe.
void feed_number(int signal) noexcept;

} // namespace lastcall::detail
