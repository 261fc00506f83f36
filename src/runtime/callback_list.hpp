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
  void open(std::uint64_t generation) noexcept;
  /// Returns how many are dropped without having been called. They stay where they are: see
  /// `destroy_dropped`.
  std::size_t close() noexcept;
  /// Destroys one of these, code of the program's; false when there is none.
  bool destroy_dropped();

  /// Throws std::system_error with runtime_errc: `ending` after the close in a process that had a runtime.
  void add(const std::shared_ptr<callback>& what);
  /// Takes one out: a function to call, empty when it has been taken before.
  std::function<void()> take(callback& which) noexcept;
  /// Calls the newest of this generation; false when there is none. Throws what it throws.
  bool call_newest(std::uint64_t generation);
  bool waits(const callback& which) noexcept;
  bool empty() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }

private:
  std::function<void()> take_out(callback& which) noexcept;

  std::mutex lock_;
  std::list<std::shared_ptr<callback>> waiting_;
  std::list<std::shared_ptr<callback>> dropped_;
  std::uint64_t open_to_ = 0; ///< a generation
};

} // namespace lastcall::detail
