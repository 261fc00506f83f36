// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/module_state.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace lastcall::detail {

/// While a thread makes an object: a link in the list of all that are being made, on that thread's stack.
struct state_maker {
  state_node* node;
  std::uint32_t of; ///< the generation, its lower half
  const void* thread;
  state_maker* older = nullptr;
  state_maker* newer = nullptr;
};

/// The module states that have an object, newest first; and those that are getting one.
///
/// closed → (open) of a generation → (the last one is cleared, or all are leaked) closed
class state_list {
public:
  void open(std::uint64_t generation) noexcept;
  /// Has the calling thread make the node's object, unless somebody else does for the same generation: then
  /// false. One who does for an older one is passed over.
  bool begin(state_maker& mine) noexcept;
  /// Made, failed, or passed over. False when it was passed over: nobody waits for it.
  bool end(state_maker& mine) noexcept;
  /// Lists one with its object; false when it is closed to that generation, and nothing is done.
  bool publish(state_node& one, void* object, std::uint64_t generation) noexcept;
  /// Destroys the newest one's object; false when there is none. What its destructor throws is thrown.
  bool clear_newest();
  bool empty() noexcept;
  /// Leaks all; how many.
  std::size_t leak_all() noexcept;

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }
  /// Nobody but the forking thread makes anything there: others may begin afresh what the parent's threads
  /// were about to make.
  void in_child() noexcept;

private:
  struct taken {
    state_node* node;
    void* object;
  };
  taken take_newest() noexcept;

  std::mutex lock_;
  state_node* newest_ = nullptr;
  state_maker* makers_ = nullptr;
  std::uint64_t open_to_ = 0;
};

} // namespace lastcall::detail
