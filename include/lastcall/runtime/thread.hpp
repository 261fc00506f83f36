// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/errors.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {

struct thread_body {
  virtual ~thread_body() = default;
  virtual void run(const stop_token& stop) = 0;
};

template <class Fn>
struct body_of final : thread_body {
  explicit body_of(Fn&& from) : fn{std::move(from)} {}
  void run(const stop_token& stop) override {
    if constexpr (std::invocable<Fn&, stop_token>)
      std::invoke(fn, stop);
    else if constexpr (std::invocable<Fn&, std::stop_token>)
      std::invoke(fn, std::stop_token{stop});
    else
      std::invoke(fn);
  }
  Fn fn;
};

template <class Fn>
concept runs_as_thread = std::invocable < std::decay_t<Fn>
&, stop_token > || std::invocable<std::decay_t<Fn>&, std::stop_token> || std::invocable<std::decay_t<Fn>&>;

struct thread_record;

/// What both kinds of thread have in common: a handle of a record.
class thread_handle {
public:
  std::string_view name() const noexcept;
  /// The kernel's id; 0 before the thread has begun.
  int id() const noexcept;
  bool request_stop(reason why = {}) noexcept;

protected:
  thread_handle() noexcept;
  ~thread_handle();
  thread_handle(thread_handle&&) noexcept;
  thread_handle& operator=(thread_handle&&) noexcept;

  bool wait(deadline until);
  bool wait(deadline until, std::error_code& error) noexcept;
  std::shared_ptr<thread_record> record_;

private:
  void reap(deadline until) noexcept;
};

} // namespace detail

/// A thread that the runtime joins.
///
/// It has a name, for reports, and a stop token, which fires when the runtime is finalized or at
/// `request_stop`. The finalization waits for it until its deadline, its thread_local destructors included,
/// whether somebody still has this handle or not; one that is late is named with its stack. An exception that
/// leaves its function goes to `runtime_options::on_thread_failure`. Use `daemon_thread` for one that nobody
/// waits for.
///
///     lastcall::thread reader{"reader", [&](lastcall::stop_token stop) { while (!stop.stop_requested()) …
///     }}; reader.join(lastcall::deadline::after(5s));
///
/// Threads: started on any while the runtime is live; while it joins, only by threads that it joins. The new
///   one has its creator's signal mask.
/// Errors: the constructor throws std::system_error: runtime_errc::no_runtime, ::ending, or what the system
///   refused; then there is no thread, and nothing is left of it.
/// Lifetime: the destructor asks it to stop and waits for at most `patience`; a thread that goes on is left
///   to the finalization.
class thread : public detail::thread_handle {
public:
  static constexpr duration patience = std::chrono::seconds{2};

  thread() noexcept = default;
  template <detail::runs_as_thread Fn>
  thread(std::string_view name, Fn&& fn)
      : thread{name,
               std::make_unique<detail::body_of<std::decay_t<Fn>>>(std::decay_t<Fn>(std::forward<Fn>(fn)))} {}
  ~thread();
  thread(thread&&) noexcept = default;
  /// Lets go of the thread it has, as the destructor does.
  thread& operator=(thread&& other) noexcept;

  /// Waits for the thread's end; true when it has ended, its thread_local objects included. The wait ends by
  /// the deadline, and on a signal_scope's owner by a request: then it throws `interrupted`, as a checkpoint
  /// would, and the thread is as it was. One that has ended already is joined all the same. Throws
  /// std::system_error: std::errc::resource_deadlock_would_occur for itself, runtime_errc::never_ends where
  /// it has been parked.
  bool join(deadline until = deadline::never());
  /// The same with a code, stop_errc::interrupted for a request.
  bool join(deadline until, std::error_code& error) noexcept;
  bool joinable() const noexcept { return record_ != nullptr; }

private:
  thread(std::string_view name, std::unique_ptr<detail::thread_body> body);
  void let_go() noexcept;
};

} // namespace lastcall
