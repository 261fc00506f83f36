// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/module_state.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>

namespace lastcall::detail {

/// The module states that have an object, newest first.
class state_list {
public:
  void add(state_node& one) noexcept;
  /// Destroys the newest one's object; false when there is none. What its destructor throws is thrown.
  bool clear_newest();
  std::string_view newest() noexcept;
  /// Leaks all; how many.
  std::size_t leak_all() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }

private:
  state_node* take_newest() noexcept;

  std::mutex lock_;
  state_node* newest_ = nullptr;
};

} // namespace lastcall::detail
