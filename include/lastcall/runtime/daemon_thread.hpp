// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/thread.hpp>

namespace lastcall {

/// A thread that nobody waits for.
///
/// For work that has no end of its own and whose loss hurts nobody: a clock, a prefetcher, a reader of a
/// terminal. It must give a reason, which stands in reports; a runtime may forbid daemons.
///
/// At the end of the runtime its stop token fires, what it waits for inside the library ends at once, and
/// from then on it does not get back into what is torn down: at its next touch of the runtime (a checkpoint,
/// an `io::` call, the big lock, a stream) it is unwound, by `runtime_ended`; at one that must not throw,
/// while it unwinds, or the second time, it is parked: it sleeps there for ever. One that is in code of the
/// program is not waited for longer than `runtime_options::daemon_grace`.
///
///     lastcall::daemon_thread keys{"keys", "reads the terminal, which nobody can end", [] {
///       char byte;
///       while (lastcall::io::read(0, &byte, 1) == 1) handle(byte);
///     }};
///
/// Limits: between touches it runs on, also during static destruction: see exit_policy::quick and `immortal`.
/// Errors: as `thread`, and runtime_errc::forbidden.
class daemon_thread : public detail::thread_handle {
public:
  daemon_thread() noexcept = default;
  template <detail::runs_as_thread Fn>
  daemon_thread(std::string_view name, std::string_view reason, Fn&& fn)
      : daemon_thread{
            name, reason,
            std::make_unique<detail::body_of<std::decay_t<Fn>>>(std::decay_t<Fn>(std::forward<Fn>(fn)))} {}
  ~daemon_thread() = default;
  daemon_thread(daemon_thread&&) noexcept = default;
  daemon_thread& operator=(daemon_thread&&) noexcept = default;

  std::string_view reason() const noexcept;
  /// Waits for its end; true when it has ended. Throws std::system_error: runtime_errc::never_ends as soon as
  /// it is parked, and std::errc::resource_deadlock_would_occur for itself. A request ends the wait, as that
  /// for a `thread`.
  bool join(deadline until);
  bool join(deadline until, std::error_code& error) noexcept;
  /// Whether it has ended, or sleeps for ever.
  bool rests() const noexcept;

private:
  daemon_thread(std::string_view name, std::string_view reason, std::unique_ptr<detail::thread_body> body);
};

} // namespace lastcall
