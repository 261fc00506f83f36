// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include "runtime/bell.hpp"
#include "runtime/moving_deadline.hpp"
#include "runtime/thread_record.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

namespace lastcall::detail {

/// All threads of ours, of all generations; one for the process, never destroyed.
///
/// The lock guards the list, and in each record the word and the seat: who nudges a thread holds it, and a
/// thread takes it before its end, so that neither goes meanwhile. It is a leaf: nothing else is taken while
/// it is held.
class thread_registry {
public:
  /// Once, before the first thread. 0 or minus an errno.
  int prepare() noexcept;

  /// Starts the thread of `record`. Throws std::system_error; then nothing is left of it.
  void start(const std::shared_ptr<thread_record>& record);

  /// On the thread itself: it will never do anything any more, or has nothing left to do.
  void rest(thread_record& mine, thread_state as) noexcept;

  /// Waits until the thread has ended, its thread_local objects included; false when the deadline passes
  /// before, as soon as the thread is parked, and when the runtime of the calling thread is over.
  bool wait_for(thread_record& whom, deadline until) noexcept;
  /// The same as a wait of the calling thread's: a request ends it, as a checkpoint would deliver it. A
  /// thread that has ended already wins.
  bool wait_for_as_owner(thread_record& whom, deadline until);
  bool wait_for_as_owner(thread_record& whom, deadline until, std::error_code& error) noexcept;

  /// Forgets a thread that has ended and gives back its stack; or all that have ended unnoticed. Waits for
  /// its last steps up to the deadline, and not for long: they may be destructors of the program's.
  void reap(thread_record& whom, const moving_deadline& until) noexcept;
  void reap_ended(const moving_deadline& until) noexcept;

  /// Somebody has waited for this thread up to a deadline, in vain. The end of the runtime will not wait for
  /// it again: it names it as late.
  void leave(thread_record& whom) noexcept;

  /// One of a generation that has not ended and that this round has not met: `round` is a number that no
  /// other round has. Allocates nothing.
  std::shared_ptr<thread_record> next_of(std::uint64_t generation, thread_kind kind,
                                         std::uint64_t round) noexcept;
  std::uint64_t new_round() noexcept;

  /// Tells every thread of the generation but one that its runtime is over, and wakes those that wait inside
  /// the library. Threads that begin later learn it as they begin.
  void end_generation(std::uint64_t generation, const thread_record* but) noexcept;
  /// Waits until all of the generation rest, or the deadline passes.
  bool wait_until_all_rest(std::uint64_t generation, const thread_record* but,
                           const moving_deadline& until) noexcept;
  /// Whether one of them waits inside a call of the library, and so is about to come to rest.
  bool some_wait_inside(std::uint64_t generation, const thread_record* but) noexcept;
  /// How many of a generation have not ended; how many of these are parked.
  struct census {
    std::size_t running = 0, parked = 0;
  };
  census count(std::uint64_t generation, const thread_record* but) noexcept;

  /// For reports, and for who waits for a lock's holder. False and empty for threads of others.
  bool is_parked(pid_t thread) noexcept;
  std::string name_of(pid_t thread);
  bool knows(pid_t thread) noexcept;

  /// Rung when a thread comes to rest.
  bell& changed() noexcept { return changed_; }

  void before_fork() noexcept { lock_.lock(); }
  void after_fork() noexcept { lock_.unlock(); }
  /// In the child: of all threads only this one exists, and it is the main thread.
  void in_child() noexcept;

private:
  static void* run(void* holder);
  /// False when its runtime is over already: then it does nothing.
  bool began(thread_record& mine) noexcept;
  static bool wait_is_over(const thread_record& whom) noexcept;
  bool wake(std::uint64_t generation, const thread_record* but) noexcept;
  std::shared_ptr<thread_record> take_ended() noexcept;

  std::mutex lock_;
  std::list<std::shared_ptr<thread_record>> threads_;
  std::list<std::shared_ptr<thread_record>> of_parent_; ///< in a forked child: kept, for nobody unwinds them
  std::uint64_t over_up_to_ = 0;                        ///< the newest generation that has ended
  std::uint64_t rounds_ = 0;
  bell changed_;
};

thread_registry& the_registry() noexcept;

/// Not of a thread that rests: in a forked child, one of the parent's would have its callbacks on a stack
/// that is another thread's by now.
bool request_stop(thread_record& of, reason why) noexcept;

/// For what leaves a thread's function: called on that thread, inside the handler.
void thread_failed(const thread_record& whose) noexcept;

} // namespace lastcall::detail
