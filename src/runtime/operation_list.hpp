// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/in_flight.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace lastcall::detail {

/// One operation of somebody else on memory of ours.
class operation {
public:
  operation(std::string_view name, std::shared_ptr<void> memory, std::function<void()> cancel,
            std::function<bool(deadline)> wait)
      : name_{name}, memory_{std::move(memory)}, cancel_{std::move(cancel)}, wait_{std::move(wait)} {}

  void cancel() noexcept;
  /// Whether it is over by the deadline; if not, it has to be kept for ever.
  bool settle(deadline until) noexcept;
  const std::string& name() const noexcept { return name_; }

private:
  std::string name_;
  std::shared_ptr<void> memory_;
  std::function<void()> cancel_;
  std::function<bool(deadline)> wait_;
};

/// All that are under way, and those whose memory is kept for ever. Nothing is allocated but by `add`, and
/// code of the program's runs without the lock.
///
/// under way → (cancelled) asked → (over) gone
///                            └──→ (not over) kept
class operation_list {
public:
  using node = std::list<std::shared_ptr<operation>>;

  void add(const std::shared_ptr<operation>& one);
  /// Empty when it was not under way any more: somebody else settles it, or has.
  node take(const std::shared_ptr<operation>& one) noexcept;
  void keep(node one) noexcept;

  /// Cancels the next one; false when there is none.
  bool cancel_next() noexcept;
  /// Waits for the next one that was cancelled; false when there is none. Throws a sentence when it is not
  /// over. It counts as kept while it is waited for.
  bool settle_next(deadline until);
  /// Keeps all that are left.
  void keep_rest() noexcept;
  std::size_t kept() noexcept;
  bool empty() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }
  /// What is under way there works on the parent's memory. Nothing is destroyed: that is the parent's, too.
  void in_child() noexcept;

private:
  std::mutex lock_;
  node under_way_;
  node asked_;
  node kept_;
};

} // namespace lastcall::detail
