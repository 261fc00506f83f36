// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/message.hpp>

#include <asio/io_context.hpp>

#include <functional>
#include <memory>
#include <mutex>

namespace lastcall::detail {

/// How other threads reach a loop, for as long as it takes calls: it outlives the loop, and says so.
///
/// Threads: any. The lock is held while Asio takes the function in, so that a loop that closes its mailbox
/// knows that nothing comes after what it has then.
class mailbox {
public:
  explicit mailbox(asio::io_context& to) noexcept : to_{&to} {}

  /// `fn` runs in the loop. False, and `fn` was not kept, when the loop takes nothing any more. Throws
  /// std::bad_alloc.
  bool post(std::function<void()> fn);
  /// The same for one that has its room with it, and so never fails for want of memory.
  bool post(std::shared_ptr<message> what) noexcept;
  void close() noexcept;

private:
  std::mutex lock_;
  asio::io_context* to_; // null once it is closed
};

} // namespace lastcall::detail
