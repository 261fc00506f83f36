// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <functional>
#include <memory>

namespace lastcall {

namespace detail {
class callback;
}

/// What was registered, to take it back. Dropping the handle does nothing: the registration stays.
class registration {
public:
  registration() noexcept = default;
  explicit registration(std::shared_ptr<detail::callback> of) noexcept;
  ~registration();
  registration(registration&&) noexcept;
  registration& operator=(registration&&) noexcept;

  /// It will not be called. False when it has been, is being called, or was cancelled before. Any thread,
  /// also inside such a callback.
  bool cancel() noexcept;
  /// Whether it still waits to be called.
  bool waits() const noexcept;

private:
  std::shared_ptr<detail::callback> of_;
};

/// `fn` is called once when the runtime is finalized, after its threads have ended and before streams are
/// closed to daemons; the newest first, on a thread of the runtime. What throws is reported and the rest
/// still run. One that is registered by another while they run is called, too: as the next.
///
///     auto pool = std::make_shared<worker_pool>();
///     lastcall::at_exit([pool] { pool->stop(); });
///
/// Errors: std::system_error with runtime_errc::no_runtime, or ::ending once their step is over;
/// std::bad_alloc. Stop: one that does not return by the deadline is left behind and named; what is left gets
/// a moment more.
registration at_exit(std::function<void()> fn);

} // namespace lastcall
