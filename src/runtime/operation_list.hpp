// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/in_flight.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lastcall::detail {

/// One operation of somebody else on memory of ours.
class operation {
public:
  operation(std::string_view name, std::shared_ptr<void> memory, std::function<void()> cancel,
            std::function<bool(deadline)> wait)
      : name_{name}, memory_{std::move(memory)}, cancel_{std::move(cancel)}, wait_{std::move(wait)} {}

  void cancel() noexcept;
  /// Whether it is over by the deadline; if not, its memory is kept for ever.
  bool settle(deadline until) noexcept;
  const std::string& name() const noexcept { return name_; }

private:
  std::string name_;
  std::shared_ptr<void> memory_;
  std::function<void()> cancel_;
  std::function<bool(deadline)> wait_;
};

/// All that are under way.
class operation_list {
public:
  void add(const std::shared_ptr<operation>& one);
  /// False when it was not in the list any more: somebody else settles it, or has.
  bool remove(const std::shared_ptr<operation>& one) noexcept;

  /// Cancels all, then waits for each; names of those that are not over go to `left`. Returns how many.
  std::size_t settle_all(deadline until, std::vector<std::string>& left) noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }
  /// What is under way there works on the parent's memory.
  void in_child() noexcept;

private:
  std::mutex lock_;
  std::list<std::shared_ptr<operation>> under_way_;
};

} // namespace lastcall::detail
