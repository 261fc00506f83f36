// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_source.hpp>
#include <lastcall/process/worker_options.hpp>
#include <lastcall/process/worker_pool.hpp>

#include "process/launched_process.hpp"
#include "process/worker_slot.hpp"
#include "sys/incarnation.hpp"
#include "sys/stream_calls.hpp"
#include "sys/thread.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

/// starting → running → (stop) stopping → over
///          ↘ (a worker did not start) failed → stopping → over
/// running → (replacements used up) broken → stopping → over
enum class pool_phase : std::uint32_t { starting, running, failed, broken, stopping, over };

/// What is behind a pool: its workers, the calls, and a thread that moves bytes and watches processes.
///
/// Callers put a call into the queue, or straight into the socket of a worker that is idle. The thread takes
/// everything else: it reads, writes what did not fit, sees workers end, and looks at deadlines. It runs
/// nothing of the program's but the two callbacks, waits only in poll, and so is never late for a stop.
///
/// `lock_` guards all of it. Who waits for a reply is woken once it is free again: he may want it next.
class workers_core {
public:
  workers_core(process_source& from, worker_options options, const worker_type& type, byte_buffer arguments);
  ~workers_core();

  /// Starts all workers and waits until they are up.
  void start();
  std::shared_ptr<reply_state> submit(worker_method method, byte_buffer frame, deadline until,
                                      when_full full);
  std::vector<std::shared_ptr<reply_state>> submit_to_all(worker_method method, byte_buffer frame);
  workers_report stop(const stop_plan& plan, deadline until) noexcept;
  workers_report drain(deadline until) noexcept;

  const worker_options& options() const noexcept { return options_; }
  /// It did not end in time, and still uses all this.
  bool has_thread() const noexcept { return has_thread_; }
  std::size_t waiting() noexcept;
  std::size_t ready() noexcept;
  std::vector<pid_t> pids();
  void signal_worker(std::size_t worker, int signal) noexcept;
  /// A process that was forked from the pool's has no part in it.
  bool foreign() const noexcept { return made_in_ != sys::this_incarnation(); }
  /// From now on it is never freed: somebody still uses it, or seems to. Once.
  static void keep(std::shared_ptr<workers_core> it) noexcept;

private:
  using held = std::unique_lock<std::mutex>;

  // --- callers (pool_core.cpp) ---
  std::unique_ptr<job> make_job(worker_method method, byte_buffer frame, deadline until);
  void check_open() const;
  void wake() const noexcept;
  void change(pool_phase to) noexcept;
  void settle(job& what) noexcept;
  void fail(job& what, pool_errc code, const std::string& text, std::optional<process_end> end = {}) noexcept;
  /// With the pool's name before it.
  void fail_named(job& what, pool_errc code, const char* text) noexcept;

  // --- workers (pool_workers.cpp), with the lock held ---
  void launch(worker_slot& slot);
  void try_launch(worker_slot& slot) noexcept;
  void close_slot(worker_slot& slot) noexcept;
  void next_job(worker_slot& slot) noexcept;
  void send_some(worker_slot& slot) noexcept;
  void send_stop(worker_slot& slot) noexcept;
  void broken_channel(worker_slot& slot, sys::call which, int error) noexcept;
  void receive_some(worker_slot& slot) noexcept;
  bool drain_channel(worker_slot& slot) noexcept;
  void on_frame(worker_slot& slot) noexcept;
  void on_started(worker_slot& slot) noexcept;
  void on_result(worker_slot& slot) noexcept;
  void on_life(worker_slot& slot) noexcept;
  void on_end(worker_slot& slot) noexcept;
  void give_up(worker_slot& slot) noexcept;
  void after_end(worker_slot& slot, const process_end& end, const std::string& text) noexcept;
  void doom(worker_slot& slot, const stop_plan& plan, deadline until, std::string_view why) noexcept;
  void step(worker_slot& slot) noexcept;
  void job_lost(worker_slot& slot, const std::string& text, const process_end& end) noexcept;
  std::string describe_end(const worker_slot& slot, const process_end& end) const;
  bool may_replace() noexcept;
  void start_failed(const std::string& text) noexcept;
  void break_down(const char* what, std::string_view why) noexcept;

  // --- the thread (pool_thread.cpp) ---
  static void* run(void* self) noexcept;
  void serve() noexcept;
  deadline look_at_deadlines() noexcept;
  void look_at_slot(worker_slot& slot, deadline& first) noexcept;
  void look_at_queue(deadline& first) noexcept;
  void begin_stop() noexcept;
  bool all_over() const noexcept;
  std::size_t watch() noexcept;
  void take(std::size_t count) noexcept;
  void wake_callers() noexcept;
  void tell(held& lock) noexcept;

  process_source& from_;
  const worker_options options_;
  const worker_type& type_;
  const byte_buffer construct_; ///< the frame by which an object is made
  const sys::incarnation made_in_;
  std::uintptr_t base_ = 0; ///< of the program or library that `type_` lies in
  process_setup setup_{};

  std::mutex lock_;
  std::atomic<std::uint32_t> phase_{
      0}; ///< a pool_phase; release in `change` pairs with the acquires of waiters
  std::atomic<std::uint32_t> room_{0}; ///< counts whatever may have made room in the queue, or ended a call
  std::deque<std::unique_ptr<job>> queue_;
  std::size_t calls_in_ = 0; ///< of callers: in the queue, and with workers
  std::size_t timed_ = 0;    ///< in the queue, with a deadline
  std::uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<worker_slot>> slots_;
  std::vector<worker_slot*> idle_; ///< the one that was busy last is the next
  std::map<std::uint64_t, std::shared_ptr<byte_buffer>> remembered_; ///< the last broadcast of each method
  std::vector<std::uintptr_t> checked_methods_;
  std::deque<time_point> replaced_;
  std::string trouble_; ///< why the start failed, or the pool is broken
  std::optional<process_end> trouble_end_;
  bool closed_ = false; ///< draining: no new calls
  bool began_stop_ = false;
  stop_plan stop_plan_{};
  deadline stop_until_ = deadline::never();
  workers_report report_;

  int wake_fd_ = -1;
  std::vector<std::shared_ptr<reply_state>> to_wake_;
  std::vector<std::shared_ptr<reply_state>> waking_; ///< the thread's own
  std::vector<sys::awaited> watched_;
  std::vector<worker_request> requests_;
  std::vector<worker_end> ends_; ///< both to be told of
  pthread_t thread_{};
  bool has_thread_ = false;
  std::shared_ptr<workers_core> itself_{}; ///< of one that is kept
  workers_core* kept_before_ = nullptr;
};

} // namespace lastcall::detail
