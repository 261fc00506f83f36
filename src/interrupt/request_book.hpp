// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/request.hpp>

#include "interrupt/custody.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace lastcall::detail {

/// An arrival on its way to the herald.
struct entry {
  request what;
  bool asks_to_stop = false;
  std::uint64_t round = 0; ///< of the acknowledgement it came before
};

/// The requests of one scope as data: what came, what is pending, what the herald has still to act on,
/// and how far the ladder has climbed.
///
/// Not safe for threads: signal_core guards it. All room is reserved by the constructor; nothing but
/// `pending` and `all` allocates later, so memory stays constant under any number of signals.
class request_book {
public:
  request_book(std::size_t keep, ladder_policy policy, std::chrono::milliseconds window);

  /// Moves what the handlers wrote down into the book.
  void collect(custody& from) noexcept;
  /// Enters one request that asks to stop without a signal.
  void enter(const request& what) noexcept { enter({what, true, round_}); }

  /// Hands the herald what it has not acted on; `batch` keeps its room.
  void take_batch(std::vector<entry>& batch) noexcept;
  /// Room that never needs to grow.
  static std::vector<entry> make_batch();

  /// Moves the ladder as `what` demands; the new step, or nothing when it does not move.
  std::optional<ladder_step> climb(const entry& what) noexcept;

  /// Whether `what` came after the latest acknowledgement.
  bool is_current(const entry& what) const noexcept { return what.round == round_; }
  const request* first_pending() const noexcept;
  std::vector<request> pending() const;
  std::vector<request> all() const { return history_; }
  /// All pending requests are taken off the table; the ladder is back at its foot.
  void acknowledge() noexcept;

  ladder_step step() const noexcept { return step_; }
  std::uint64_t lost() const noexcept { return lost_; }

private:
  void enter(const entry& what) noexcept;
  bool keep_in_history(const request& what) noexcept; // false: no room
  void queue(const entry& what) noexcept;

  std::vector<request> history_; // [0, acknowledged_) acknowledged, the rest pending
  std::size_t acknowledged_ = 0;
  std::vector<entry> inbox_; // for the herald
  std::uint64_t lost_ = 0;

  ladder_policy policy_;
  duration window_;
  ladder_step step_ = ladder_step::none;
  std::array<time_point, signal_limit> last_press_{}; // per signal, when it last moved the ladder
  std::uint64_t round_ = 0;
};

} // namespace lastcall::detail
