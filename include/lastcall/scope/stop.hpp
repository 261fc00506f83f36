// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/reason.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace lastcall {

/// A std::stop_token that also knows why.
///
/// Code that only has to stop takes std::stop_token, to which this converts; code that writes a report
/// or picks an exit status takes this one.
class stop_token {
public:
  /// A token whose stop is never requested.
  stop_token() noexcept = default;
  /// The token of code that knows no reasons, with the one to be told when it fires. A `why.when` that is
  /// not set stays so: nobody looks at the clock when the other fires; `stop_link` does. Throws
  /// std::bad_alloc.
  stop_token(std::stop_token from, const reason& why);

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

/// Calls `fn` with the reason when the token fires, at once when it has; on the thread that asks for the
/// stop, or on this one. A std::stop_callback whose function is told why.
///
///     lastcall::stop_callback cut{token, [&](const lastcall::reason& why) { session.cut(describe(why)); }};
///
/// Lifetime: its destructor waits for a call that runs on another thread, as std::stop_callback's does.
/// Errors: `fn` must not throw; a throw ends the program (the standard's rule).
template <std::invocable<const reason&> Fn>
class stop_callback {
public:
  template <class Init>
  requires std::constructible_from<Fn, Init> stop_callback(stop_token token, Init&& fn)
      : token_{std::move(token)}, fn_{std::forward<Init>(fn)}, callback_{token_, call{this}} {}
  stop_callback(const stop_callback&) = delete;
  stop_callback& operator=(const stop_callback&) = delete;

private:
  struct call {
    stop_callback* to;
    void operator()() const noexcept { to->fn_(to->token_.why().value_or(reason{})); }
  };
  stop_token token_;
  [[no_unique_address]] Fn fn_;
  std::stop_callback<call> callback_; // the last: it may call at once, and is destroyed first
};
template <class Fn>
stop_callback(stop_token, Fn) -> stop_callback<Fn>;

/// While it lives, a source fires when another token does: a part of a program that has a source of its own
/// and stops with the whole.
///
///     lastcall::stop_source session;
///     lastcall::stop_link with_the_program{session, signals.token()};
///     lastcall::stop_link with_the_thread{session, thread_token, {.text = "the thread is asked to end"}};
///
/// Threads: any; the source's callbacks run inside the other's request_stop.
class stop_link {
public:
  /// For the reason that `from` gives.
  stop_link(stop_source to, const stop_token& from) : callback_{from, forward{std::move(to)}} {}
  /// For `why`; when it fires, where `why` does not say.
  stop_link(stop_source to, std::stop_token from, const reason& why)
      : callback_{stop_token{std::move(from), why}, forward{std::move(to)}} {}

private:
  struct forward {
    stop_source to;
    void operator()(const reason& why) noexcept { to.request_stop(why); }
  };
  stop_callback<forward> callback_;
};

} // namespace lastcall
