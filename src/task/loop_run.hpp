// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/subscription.hpp>
#include <lastcall/task/child.hpp>

#include "interrupt/signal_core.hpp"
#include "task/loop_core.hpp"

#include <asio/posix/stream_descriptor.hpp>

#include <memory>
#include <optional>

namespace lastcall::detail {

/// The main task of a loop, and how it hears of requests.
///
/// The way of a request: the handler writes the scope's wake-up descriptor, which Asio watches, so the loop
/// wakes up; `hear` is a checkpoint that reports instead of throwing, and cancels the main task. No memory is
/// needed on that way. The descriptor stays readable until the request is acknowledged; so it is watched only
/// while none is pending.
class loop_run final : public child_owner, private word_listener {
public:
  /// Listens to the scope that this thread owns, if there is one. Throws std::system_error, std::bad_alloc.
  explicit loop_run(loop_core& of);
  ~loop_run();
  loop_run(const loop_run&) = delete;
  loop_run& operator=(const loop_run&) = delete;

  [[nodiscard]] bool over() const noexcept { return over_; }
  task_end<void> take() noexcept { return std::move(how_); }

private:
  void hear() noexcept override;
  void child_over(task_end<void> how) noexcept override;
  void watch();
  void acknowledge();

  loop_core& loop_;
  signal_core* signals_;
  std::optional<asio::posix::stream_descriptor> wakeup_{};
  bool watching_ = false;
  bool heard_ = false;
  subscription climbing_;
  task_end<void> how_;
  bool over_ = false;
};

} // namespace lastcall::detail
