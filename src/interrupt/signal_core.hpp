// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/listed_shields.hpp"
#include "interrupt/listener.hpp"
#include "interrupt/request_book.hpp"
#include "interrupt/unheard_list.hpp"
#include "sys/incarnation.hpp"
#include "wait/seat.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <signal.h>

namespace lastcall::detail {

class number_writer;

/// What a signal_scope and its herald share. It lives as long as either of them: a herald that a
/// listener holds up beyond the scope's end is left behind with it.
///
/// The lock:
///   1. `lock_` guards the book, the source, the posted calls, the listeners' list, `owner_`, and the owner's
///      listed shields.
///   2. No function of a user runs with `lock_` held: it may call anything of the scope.
///   3. The handler does not take it.
class signal_core : public std::enable_shared_from_this<signal_core> {
public:
  static constexpr std::size_t most_posts = 256;

  signal_core(const signal_options& options, thread_word& owner);

  // --- any thread ---
  stop_token token() const noexcept;
  std::optional<request> why();
  std::vector<request> requests();
  ladder_step step() noexcept;
  std::uint64_t lost();
  subscription add(std::shared_ptr<listener> to);
  bool post(std::function<void()> fn);
  bool submit(const request& what) noexcept;
  int wakeup_fd();
  number_feed forward(int fd, std::function<void(std::error_code)> on_broken);

  // --- the owner ---
  std::vector<request> acknowledge();
  /// Whether delivery is put off: under a shield or while unwinding.
  bool holds_back() noexcept;
  void put_up(listed_shield& what) noexcept;
  void take_down(listed_shield& what) noexcept;
  /// Runs posted calls, then says what a checkpoint has to deliver, if anything: nothing while it holds back.
  /// The caller keeps no reference to this scope afterwards: a posted call may have destroyed it.
  std::optional<request> take_due() noexcept;
  /// The first pending request; without one, takes back a due bit that has no request behind it.
  std::optional<request> confirm_due() noexcept;
  std::vector<request> pending();
  /// Listened signals that nobody was told of. Once the herald has ended or was left behind.
  std::vector<request> unheard();
  /// Ends the feed of numbers, if there is one.
  void end_feed() noexcept;
  /// Before the end: runs the posted calls that are left, where the scope was made so.
  void run_leftovers(const deadline& until) noexcept;
  void note_dropped(std::size_t posts) noexcept;
  /// Removes the owner; returns how many posted calls are dropped. Closes the wake-up descriptor if no
  /// handler can write it any more.
  std::size_t retire(bool handlers_out) noexcept;

  // --- the herald ---
  void start_herald();
  /// Asks the herald to act on what is left and end; true when it did by the deadline.
  bool end_herald(deadline& until) noexcept;
  /// After a construction that failed: what was taken in meanwhile acts under the old dispositions.
  void hand_over() noexcept;

  sys::incarnation process() const noexcept { return process_; }
  std::uint64_t delivered(int signal) const noexcept;

private:
  /// The source of a round that was acknowledged before the herald had acted on it: the round's token must
  /// fire all the same, for whoever holds it will never hear of the fresh one.
  struct superseded {
    stop_source source;
    request why;
  };

  static void* herald_thread(void* holder) noexcept;
  void run_herald() noexcept;
  void act_on_batch(const bounds& found) noexcept;
  void act_on(const entry& what) noexcept;
  template <class Tell>
  void tell_all(Tell&& tell) noexcept;
  bool tell_arrival(const request& what, std::uint64_t number) noexcept;
  void hand_on() noexcept;
  void report_feed() noexcept;
  void contained(const char* who) noexcept;
  void note(event_kind kind, std::string_view name, std::string_view detail) noexcept;
  void run_posts() noexcept;
  void mark_owner(std::uint32_t bit) noexcept;
  deadline nudge_again() noexcept;
  const request* look_again() noexcept;
  bounds look_at_bounds() noexcept;
  void note_passed(const bounds& found) noexcept;
  void note_delivery() noexcept;

  const sys::incarnation process_;
  int uncaught_at_start_; // the least the owner has had since: see holds_back
  const leftover_calls leftover_;
  timeline* const log_;

  mutable std::mutex lock_;
  request_book book_;
  stop_source source_;
  std::vector<superseded> superseded_;     // replaced before the herald had fired them
  std::list<std::function<void()>> posts_; // no deque: an empty one allocates, and retire makes one
  std::vector<std::shared_ptr<listener>> listeners_;
  int wakeup_ = -1;                                        // for foreign loops, once asked for
  std::shared_ptr<number_writer> feed_;                    // of the numbers, once asked for
  thread_word* owner_;                                     // null after retire
  wait::seat& seat_;                                       // the owner's
  bool delivery_noted_ = false;                            // one event for each round of requests
  std::array<std::uint64_t, signal_limit> final_counts_{}; // of `delivered`, once retired

  std::uint64_t taken_up_ = 0; // arrivals the herald has told of, the one in progress included
  unheard_list unheard_;
  bool herald_done_ = false; // it takes nothing up any more
  std::size_t next_ = 0;     // of the batch, the herald's next

  pthread_t herald_{};
  duration nudge_pause_{}; // the herald's: how long it last waited to nudge again; zero when there is no need
  std::uint64_t makers_mask_ = 0;       // the herald's while it acts
  std::vector<entry> batch_;            // the herald's; written with the lock held, or read by `unheard`
  std::vector<superseded> to_fire_;     // likewise
  std::atomic<bool> ending_{false};     // release by end_herald pairs with acquire in run_herald
  std::atomic<bool> abandoned_{false};  // relaxed: it may be seen late, it may not be needed at all
  std::atomic<std::uint32_t> ended_{0}; // release by the herald pairs with acquire in end_herald
};

/// The scope this thread owns, in the process that made it.
signal_core* core_here() noexcept;

} // namespace lastcall::detail
