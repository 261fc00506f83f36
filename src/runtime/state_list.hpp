// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/module_state.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace lastcall::detail {

/// The module states that have an object, newest first.
///
/// closed → (open) of a generation → (the last one is cleared, or all are leaked) closed
class state_list {
public:
  void open(std::uint64_t generation) noexcept;
  /// Lists one with its object; false when it is closed to that generation, and nothing is done.
  bool publish(state_node& one, void* object, std::uint64_t generation) noexcept;
  /// Destroys the newest one's object; false when there is none. What its destructor throws is thrown.
  bool clear_newest();
  bool empty() noexcept;
  /// Leaks all; how many.
  std::size_t leak_all() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }

private:
  struct taken {
    state_node* node;
    void* object;
  };
  taken take_newest() noexcept;

  std::mutex lock_;
  state_node* newest_ = nullptr;
  std::uint64_t open_to_ = 0;
};

} // namespace lastcall::detail
