// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace lastcall {

namespace detail {
class callback;
}

/// Something that is done exactly once: by hand, or at the very end of the runtime, after its threads and
/// daemons are gone; the newest first, on a thread of the runtime.
///
/// A destructor cannot promise that: it does not run for what is leaked, held in a cycle, or owned by a
/// thread that never ends. Use `at_exit` for what needs the threads' work to be whole and the streams open,
/// this for what gives back what outlives the process: a lock file, a shared segment, a lease.
///
///     lastcall::finalizer unlock{[] { std::filesystem::remove("/run/importer.lock"); }};
///     lastcall::finalizer flush{session, [](client& it) { it.say_goodbye(); }};   // unless it is gone by
///     then unlock();                                                                   // now, and not again
///
/// Dropping the handle changes nothing. Errors: as `at_exit`.
class finalizer {
public:
  explicit finalizer(std::function<void()> fn);
  /// Calls `fn` with the object if that still exists. Keeps it from nothing.
  template <class T, class Fn>
  finalizer(const std::shared_ptr<T>& object, Fn fn)
      : finalizer{std::function<void()>{[weak = std::weak_ptr<T>{object}, fn = std::move(fn)]() mutable {
          if (const auto alive = weak.lock()) fn(*alive);
        }}} {}
  ~finalizer();
  finalizer(finalizer&&) noexcept;
  finalizer& operator=(finalizer&&) noexcept;

  /// Does it now, on this thread, unless it has been done; returns whether it was done here. What it throws
  /// is thrown.
  bool operator()();
  /// It will not be done at all. False when it has been.
  bool detach() noexcept;
  /// Whether it still has to be done.
  bool waits() const noexcept;

private:
  std::shared_ptr<detail::callback> of_;
};

} // namespace lastcall
