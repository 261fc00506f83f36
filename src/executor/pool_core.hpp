// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/pool_options.hpp>
#include <lastcall/executor/pool_report.hpp>
#include <lastcall/executor/task.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/wait/deadline.hpp>

#include "executor/pool_worker.hpp"
#include "executor/short_lock.hpp"
#include "executor/task_queue.hpp"
#include "runtime/bell.hpp"
#include "sys/incarnation.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace lastcall::detail {

/// How a pool is ended.
enum class pool_end : std::uint8_t {
  drain,  ///< what was accepted runs
  drop,   ///< what waits is discarded, what runs is asked to stop; what does not end is left behind
  finish, ///< what waits runs, what runs is asked to stop: the destructor, first
  abandon ///< as `drop`, and those that were left behind before are nobody's concern: the destructor, then
};

/// What is behind `thread_pool`: shared by it and its threads, so that a thread that was left behind never
/// finds it gone.
///
/// See pool_core.cpp for how tasks find a thread, pool_end.cpp for the end. `lock_` guards all that follows
/// it; a worker's own lock is taken after it, and nothing else is while either is held.
class pool_core : public std::enable_shared_from_this<pool_core> {
public:
  /// Throws std::invalid_argument.
  explicit pool_core(pool_options options);
  ~pool_core();
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;

  /// All threads, or none of them and an exception.
  void start_threads();

  /// Takes the task, or says why not, and leaves it to the caller.
  std::error_code enter(task_ptr& one) noexcept;
  std::error_code enter_reserve(task_ptr& one) noexcept;
  /// The same, by the policy for a pool that is full. The task has been run here when it is empty and the
  /// pool has not got it.
  std::error_code enter_by_policy(task_ptr& one);
  /// Throws.
  [[noreturn]] void refuse(std::error_code why, task_ptr one) const;

  void close() noexcept;
  pool_report end(pool_end how, deadline until) noexcept;
  /// The destructor's: nobody will post or ask any more.
  void let_go() noexcept;

  const std::string& name() const noexcept { return options_.name; }
  bool closed() const noexcept;
  std::size_t size() const noexcept;
  std::size_t running() const noexcept;
  std::size_t waiting() const noexcept;
  bool runs_here() const noexcept;
  bool in_forked_child() const noexcept { return sys::this_incarnation() != process_; }

private:
  friend class worker_body;
  friend class reserve_body;

  // --- entering: pool_core.cpp ---
  std::error_code refusal() const noexcept;
  bool is_full() const noexcept;
  bool some_wait_for_help() const noexcept;
  std::size_t count_waiting() const noexcept;
  std::error_code wait_for_room(task_ptr& one, deadline until);
  void tell_of_room() noexcept;
  void run_here(task_ptr one);

  // --- threads: pool_threads.cpp ---
  struct help; ///< another thread that is to look for tasks: one that sleeps, or one that is to be started
  help call_for_help() noexcept;
  void send(const help& whom) noexcept;
  pool_worker* place_for_another() noexcept;
  void start(pool_worker& place);
  void start_reserve();
  void forget_start(pool_worker& place) noexcept;

  // --- the worker's side: pool_work.cpp ---
  void work(pool_worker& me, const stop_token& stop);
  void initialize();
  void work_through(pool_worker& me, const stop_token& stop);
  task* next_of_own(pool_worker& me) noexcept;
  task* find(pool_worker& me) noexcept;
  task_queue take_some() noexcept;
  task_queue steal_some(const pool_worker& me) noexcept;
  task* keep(pool_worker& me, task_queue got) noexcept;
  bool sleep(pool_worker& me) noexcept;
  void leave(pool_worker& me) noexcept;
  void break_pool(std::string_view why) noexcept;
  void run(task& one, const stop_token& stop);
  void tell_failure(std::string_view label) noexcept;
  void work_reserve();
  void leave_reserve() noexcept;

  // --- the end: pool_end.cpp ---
  void runtime_ends() noexcept;
  void runtime_joins_reserve() noexcept;
  void close_for_runtime(bool by_runtime) noexcept;
  task_queue take_all() noexcept;
  static void refuse_all(task_queue which, std::error_code why, pool_report* into) noexcept;
  void ask_to_stop() noexcept;
  /// Waits for the tasks and the threads; false when the deadline passes before.
  bool wait_for_rest(pool_end how, deadline until) noexcept;
  bool all_rest(const pool_worker* mine, pool_end how) const noexcept;
  bool join_threads(deadline until) noexcept;
  void note_unfinished(pool_report& into, pool_end how) noexcept;
  void leave_behind(pool_worker& who) noexcept;
  void note(pool_report& into, pool_worker& who, time_point now) const noexcept;
  void end_reserve(deadline until) noexcept;
  pool_worker* of_this_thread() const noexcept;
  class rest; ///< while it lives, nobody waits for the calling thread's task

  const pool_options options_;
  const std::size_t most_;
  const sys::incarnation process_;
  stop_source stop_{};       ///< for tasks that are run by who posts them
  stop_source final_stop_{}; ///< for tasks on the reserve lane

  mutable short_lock lock_;
  task_queue inbox_{};
  task_queue reserve_lane_{};
  const std::unique_ptr<pool_worker[]> workers_; ///< as many as there may ever be
  pool_worker reserve_{};
  pool_worker* idle_ = nullptr; ///< the one that has slept for the shortest time comes first
  std::size_t live_ = 0;        ///< workers that are not `unused`
  std::size_t searching_ = 0;   ///< workers that are about to look for tasks
  std::size_t handed_out_ = 0;  ///< at least as many as wait in workers' own queues
  std::size_t at_rest_ = 0;     ///< live ones, not left behind, whose task is in a stop of this pool
  std::size_t left_ = 0;        ///< live ones that were left behind
  bool closed_ = false;
  bool by_runtime_ = false;         ///< … by the end of the runtime
  bool reserve_over_ = false;       ///< it takes nothing more, and ends
  bool reserve_joins_ = false;      ///< the runtime allows no daemons: it ends when the runtime joins
  std::atomic<bool> broken_{false}; ///< stored with release after `why_broken_`, once
  std::string why_broken_{};

  std::atomic<std::size_t> in_inbox_{0};     ///< for a worker that looks before it sleeps
  std::atomic<std::size_t> room_waiters_{0}; ///< who waits for room: see wait_for_room
  std::atomic<std::size_t> failed_{0};
  std::atomic<std::uint32_t> room_{0}; ///< what they sleep on
  bell changed_;                       ///< a worker or the reserve has come to rest
};

/// The pool whose task the calling thread is in, and which of its workers it is.
struct pool_place {
  const pool_core* pool = nullptr;
  pool_worker* worker = nullptr;
};
extern thread_local constinit pool_place my_place;

} // namespace lastcall::detail
