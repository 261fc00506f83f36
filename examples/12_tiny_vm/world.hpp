// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "program.hpp"
#include "script_stack.hpp"
#include "settings.hpp"
#include "value.hpp"

#include <lastcall/runtime/thread.hpp>

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <vector>

namespace tiny {

/// What a run leaves behind, for whoever counts. Outlives the world.
struct ledger {
  std::atomic<long> locks_held{0};      ///< by threads that are not daemons
  std::atomic<long> finalizers_owed{0}; ///< not begun yet
  std::atomic<long> finalizers_cut{0};  ///< by a request
};

/// All that the threads of a script share: globals, cells, stacks.
///
/// It is a lastcall::module_state: made in each runtime at its first use, destroyed when the threads of the
/// runtime are over and all finalizers have run, and deliberately kept where a thread is left that may come
/// back.
/// Threads: whoever touches it has the big lock.
class world {
public:
  world();
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  /// The one of the runtime that is live. Throws as lastcall::module_state does.
  static world& of_this_runtime();

  /// Before anything else.
  void begin(std::shared_ptr<const program> code, const settings& how, std::shared_ptr<ledger> counts);
  const program& code() const noexcept { return *code_; }
  const settings& how() const noexcept { return how_; }
  ledger& counts() const noexcept { return *counts_; }

  std::vector<value> globals;
  std::vector<value> constants;
  std::vector<lastcall::thread> threads; ///< those that are joined at the end
  std::vector<value> handles;            ///< of these
  std::size_t started = 0;               ///< threads of both kinds

  /// Stacks belong to the world and are lent to threads: a daemon that is unwound without the big lock must
  /// not count references, and leaves its stack behind.
  script_stack& lend_stack();
  void take_back(script_stack& stack) noexcept;

  /// A cell to which nobody refers any more, out of those that wait to be buried; null: none.
  cell* next_dead() noexcept;
  bool has_dead() const noexcept { return dead_ != nullptr; }
  /// A cell that is dead after all.
  void destroy(cell* it) noexcept;
  /// … or that is not.
  void revive(cell& it) noexcept;

private:
  friend class cell;
  friend class value;
  void add(cell& it) noexcept;
  void remove(cell& it) noexcept;
  void died(cell& it) noexcept;

  std::shared_ptr<const program> code_;
  settings how_;
  std::shared_ptr<ledger> counts_;
  std::list<script_stack> stacks_;
  cell* newest_ = nullptr;
  cell* dead_ = nullptr;
};

} // namespace tiny
