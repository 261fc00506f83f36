// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/errors.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace lastcall::detail {

/// Something to be called once: by hand, or at the end.
class callback {
public:
  explicit callback(std::function<void()> fn) : fn_{std::move(fn)} {}

private:
  friend class callback_list;
  std::function<void()> fn_;
  std::list<std::shared_ptr<callback>>::iterator place_{};
  bool waits_ = false; ///< it is in the list; under its lock
};

/// Callbacks of a runtime, taken newest first, each once.
///
/// closed → (open) open → (close) closed. While it is closed nothing is added.
class callback_list {
public:
  void open() noexcept;
  /// Returns how many are dropped without having been called.
  std::size_t close() noexcept;

  /// Throws std::system_error with runtime_errc: `ending` after the close in a process that had a runtime.
  void add(const std::shared_ptr<callback>& what);
  /// Takes one out: a function to call, empty when it has been taken before.
  std::function<void()> take(callback& which) noexcept;
  /// The newest; empty when there is none.
  std::function<void()> take_newest() noexcept;
  bool waits(const callback& which) noexcept;
  bool empty() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }

private:
  std::function<void()> take_out(callback& which) noexcept;

  std::mutex lock_;
  std::list<std::shared_ptr<callback>> waiting_;
  bool open_ = false;
};

} // namespace lastcall::detail
