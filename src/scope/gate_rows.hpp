// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/gate_words.hpp>
#include <lastcall/wait/clock.hpp>

#include <cstddef>
#include <mutex>
#include <string>

#include <signal.h>

namespace lastcall::detail {

struct kept_row;

/// A pass with a name.
struct gate_record : gate_home {
  std::string name;
  pid_t thread = 0;
  time_point since{};
  gate_words* words = nullptr;
  kept_row* row = nullptr; ///< where it is counted
  gate_record* next = nullptr;
  gate_record** before = nullptr;
};

/// A row with what only slow paths need.
struct kept_row : gate_row {
  // Guarded by the_rows.lock:
  enum class use : std::uint8_t {
    taken, ///< by a thread that lives
    left,  ///< its thread has ended; passes it had taken may still be inside
    idle,  ///< nobody's
  };
  use now = use::taken;

  /// Of a thread that does not exist in this forked child: its counts concern nobody. Written there only,
  /// before there is a second thread.
  bool vanished = false;
  std::atomic<pid_t> thread{0}; ///< relaxed: it is a name
  kept_row* next = nullptr;     ///< of all there are; written before the row is published

  // Guarded by record_lock(*this):
  gate_record* records = nullptr;
};

/// All rows and words of the process. Constant-initialized and never destroyed: threads may enter and leave
/// before and after everything else.
struct gate_rows {
  /// Guards what is said to be guarded by it, and entering a gate that somebody waits for.
  std::mutex lock;
  std::atomic<kept_row*> rows{
      nullptr};                ///< release in new_row pairs with the acquire of who goes through them
  gate_words* words = nullptr; ///< all of them; likewise guarded by the lock
  gate_words* free_columned = nullptr;
  gate_words* free_apart = nullptr;
  std::uint32_t columns_given = 0;
};
extern constinit gate_rows the_rows;

/// Guards the records of some rows. Taken alone, or after the_rows.lock.
std::mutex& record_lock(const kept_row& row) noexcept;

/// The row of all who have none; its cells are not used, `gate_words::shared` is.
kept_row& nobodys_row() noexcept;

/// The calling thread's row, taken now if need be; null when there is none to be had.
gate_row* take_row() noexcept;

/// Words for a new gate: open, empty. Throws std::bad_alloc.
gate_words& take_words();
void give_words_back(gate_words& words) noexcept;

/// How many are inside.
std::uint32_t inside(const gate_words& words) noexcept;

} // namespace lastcall::detail
