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
#include <span>
#include <vector>

namespace lastcall::detail {

/// An arrival on its way to the herald.
struct entry {
  request what;
  bool asks_to_stop = false;
  std::uint64_t round = 0; ///< of the acknowledgement it came before
  bool delayed = false;    ///< it came while the owner's shield was up
  bool came_first = false; ///< before anybody subscribed, and the herald slept on
};

/// Where a ladder stands.
struct ladder_position {
  ladder_step step = ladder_step::none;
  std::array<time_point, signal_limit> last_press = never_pressed(); ///< per signal, when it last moved it

  /// Moves as `what` demands; the new step, or nothing when it does not move.
  std::optional<ladder_step> climb(const request& what, ladder_policy policy, duration window) noexcept;

  static constexpr std::array<time_point, signal_limit> never_pressed() noexcept {
    std::array<time_point, signal_limit> all{};
    all.fill(time_point::min());
    return all;
  }
};

/// The pending requests that a shield has held back.
struct delayed_requests {
  std::uint64_t count = 0;
  request first;
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
  void enter(const request& what, bool delayed) noexcept { enter({what, true, round_, delayed}); }

  /// Hands the herald what it has not acted on; `batch` keeps its room.
  void take_batch(std::vector<entry>& batch) noexcept;
  /// Somebody subscribes for the first time: what asks to stop and came before is none of theirs.
  void begin_telling() noexcept;
  /// Nobody was there to be told of what asked to stop: the herald need not act on it any more.
  void tell_nobody() noexcept;
  /// What it has not taken.
  const std::vector<entry>& waiting() const noexcept { return inbox_; }
  /// Room that never needs to grow.
  static std::vector<entry> make_batch();

  /// Moves the ladder as `what` demands; the new step, or nothing when it does not move.
  std::optional<ladder_step> climb(const entry& what) noexcept;

  /// Whether `what` came after the latest acknowledgement.
  bool is_current(const entry& what) const noexcept { return what.round == round_; }
  const request* first_pending() const noexcept { return kept(acknowledged_); }
  std::vector<request> pending() const { return history_from(acknowledged_); }
  std::vector<request> all() const { return history_from(0); }
  const delayed_requests& delayed() const noexcept { return delayed_; }
  /// One after the other, oldest first, without allocating; null after the last.
  const request* kept(std::size_t index) const noexcept;
  /// All pending requests are taken off the table; the ladder is back at its foot.
  void acknowledge() noexcept;

  /// Where the ladder will stand once the herald has acted on what it has in hand and what it has not taken.
  ladder_step step_after(std::span<const entry> in_hand) const noexcept;
  std::uint64_t lost() const noexcept { return lost_; }

private:
  void enter(const entry& what) noexcept;
  bool keep_in_history(const request& what) noexcept; // false: no room
  void queue(const entry& what) noexcept;

  std::vector<request> history_from(std::size_t index) const;

  std::size_t keep_;
  std::vector<request> history_; // a ring, once it is full; `oldest_` is its begin
  std::size_t oldest_ = 0;
  std::size_t acknowledged_ = 0; // so many of the oldest; the rest is pending
  std::vector<entry> inbox_;     // for the herald
  std::uint64_t lost_ = 0;
  delayed_requests delayed_;

  ladder_policy policy_;
  duration window_;
  ladder_position ladder_;
  std::uint64_t round_ = 0;
};

} // namespace lastcall::detail
