// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/listener.hpp"
#include "interrupt/request_book.hpp"

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

/// What a signal_scope and its herald share. It lives as long as either of them: a herald that a
/// listener holds up beyond the scope's end is left behind with it.
///
/// The lock:
///   1. `lock_` guards the book, the source, the posted calls, the listeners' list, and `owner_`.
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
  ladder_step step() const noexcept;
  std::uint64_t lost();
  subscription add(std::shared_ptr<listener> to);
  bool post(std::function<void()> fn);
  void submit(const request& what) noexcept;
  int wakeup_fd();

  // --- the owner ---
  std::vector<request> acknowledge();
  /// Whether delivery is put off: under a shield or while unwinding.
  bool holds_back() const noexcept;
  /// Runs posted calls, then says what a checkpoint has to deliver, if anything: nothing while it holds back.
  /// The caller keeps no reference to this scope afterwards: a posted call may have destroyed it.
  std::optional<request> take_due() noexcept;
  /// The first pending request; without one, takes back a due bit that has no request behind it.
  std::optional<request> confirm_due() noexcept;
  std::vector<request> pending();
  /// Removes the owner; returns how many posted calls are dropped. Closes the wake-up descriptor if no
  /// handler can write it any more.
  std::size_t retire(bool handlers_out) noexcept;

  // --- the herald ---
  void start_herald();
  /// Asks the herald to act on what is left and end; true when it did by the deadline.
  bool end_herald(deadline& until) noexcept;

  pid_t process() const noexcept { return process_; }
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
  void act_on(const entry& what) noexcept;
  void tell_listeners(const request& what, std::optional<ladder_step> climbed) noexcept;
  void contained(const char* who) noexcept;
  void note(event_kind kind, std::string_view name, std::string_view detail) noexcept;
  void run_posts() noexcept;
  void mark_owner(std::uint32_t bit) noexcept;
  const request* look_again() noexcept;

  const pid_t process_;
  const int uncaught_at_start_;
  timeline* const log_;

  mutable std::mutex lock_;
  request_book book_;
  stop_source source_;
  std::vector<superseded> superseded_;     // replaced before the herald had fired them
  std::list<std::function<void()>> posts_; // no deque: an empty one allocates, and retire makes one
  std::vector<std::shared_ptr<listener>> listeners_;
  int wakeup_ = -1;                                        // for foreign loops, once asked for
  thread_word* owner_;                                     // null after retire
  bool delivery_noted_ = false;                            // one event for each round of requests
  std::array<std::uint64_t, signal_limit> final_counts_{}; // of `delivered`, once retired

  pthread_t herald_{};
  std::vector<entry> batch_;            // the herald's alone
  std::vector<superseded> to_fire_;     // likewise
  std::atomic<bool> ending_{false};     // release by end_herald pairs with acquire in run_herald
  std::atomic<bool> abandoned_{false};  // relaxed: it may be seen late, it may not be needed at all
  std::atomic<std::uint32_t> ended_{0}; // release by the herald pairs with acquire in end_herald
};

} // namespace lastcall::detail
