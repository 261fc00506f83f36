// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

namespace lastcall {

/// What a component's `start` or `stop` may know about its situation.
///
/// A start or stop is never cut: no request is delivered inside it, and a checkpoint there does not throw.
/// But it may want to be quicker once somebody asked for it, and a stop has to know how long it may take. The
/// context says both, and carries back how far the work is, for the report on a stop that is late.
///
///     void stop(lastcall::context& at) {
///       requests_.close();
///       while (!requests_.wait_until(earlier(at.due(), lastcall::deadline::after(1s)))) {
///         at.progress(std::to_string(requests_.size()) + " requests in flight");
///         if (at.out_of_time()) return cut_connections();
///       }
///     }
///
/// Threads: any, for as long as the call it was given to runs.
/// Stop: the token fires in a start when a stop of the application was requested; in a stop when it has to
/// hurry:
///   at its deadline, or when a second request shortened that. Callbacks on the token run on the herald or on
///   the application's owner and must be brief.
class context {
public:
  /// For an application, and for tests of components: a situation without limits.
  explicit context(std::string name = {}, std::stop_token token = {}, deadline due = deadline::never());

  /// The component's name in the application.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Fires when the call should come to its end soon; see *Stop* above.
  [[nodiscard]] std::stop_token token() const noexcept { return token_; }
  [[nodiscard]] bool stop_requested() const noexcept { return token_.stop_requested(); }

  /// The latest moment at which the call should be back; never in a start. It may come nearer meanwhile.
  [[nodiscard]] deadline due() const noexcept;

  /// True from that moment on. A stop that is called when nothing is left of the budget finds it true at
  /// once: it should give back what must be given back, and leave the rest.
  [[nodiscard]] bool out_of_time() const noexcept { return due().expired(); }

  /// Says how far the work is, in a few words; the last ones stand in the report if the call does not end.
  void progress(std::string words);
  [[nodiscard]] std::string last_progress() const;

  /// Moves the deadline. For the application.
  void due(deadline next) noexcept;

private:
  std::string name_;
  std::stop_token token_;
  std::atomic<time_point> due_;
  mutable std::mutex mutex_;
  std::string progress_;
};

} // namespace lastcall
