// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/reason.hpp>

#include <memory>
#include <optional>
#include <stop_token>

namespace lastcall {

/// A std::stop_token that also knows why.
///
/// Code that only has to stop takes std::stop_token, to which this converts; code that writes a report
/// or picks an exit status takes this one.
class stop_token {
public:
  /// A token whose stop is never requested.
  stop_token() noexcept = default;

  bool stop_requested() const noexcept { return std_.stop_requested(); }
  bool stop_possible() const noexcept { return std_.stop_possible(); }
  /// The reason, as soon as `stop_requested()`.
  std::optional<reason> why() const noexcept;

  operator std::stop_token() const noexcept { return std_; }

private:
  friend class stop_source;
  struct state;
  explicit stop_token(std::shared_ptr<const state> from) noexcept;
  std::shared_ptr<const state> state_;
  std::stop_token std_;
};

/// Where a stop is requested; the first reason wins and stays.
///
///     lastcall::stop_source stop;
///     std::jthread worker{[token = stop.token()] { while (!token.stop_requested()) step(); }};
///     stop.request_stop({.cause = lastcall::cause::deadline, .text = "idle for an hour"});
///
/// Threads: any. The callbacks of std::stop_callback run inside `request_stop`, on the thread that
///   calls it; one that throws ends the program (the standard's rule).
/// Signals: not from a handler.
class stop_source {
public:
  stop_source();

  /// Asks for the stop. Returns true for the one call that did it. The reason can be read by whoever
  /// sees `stop_requested()`. A `why.when` that is not set becomes now.
  bool request_stop(reason why) noexcept;
  bool stop_requested() const noexcept;
  std::optional<reason> why() const noexcept { return token().why(); }
  stop_token token() const noexcept;

private:
  std::shared_ptr<stop_token::state> state_;
};

} // namespace lastcall
