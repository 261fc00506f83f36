// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "journal.hpp"
#include "settings.hpp"

#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/lifecycle/context.hpp>
#include <lastcall/process/worker_pool.hpp>
#include <lastcall/task/async_component.hpp>
#include <lastcall/task/task.hpp>
#include <lastcall/task/to_thread.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// What the parts of the program have in common.
struct surroundings {
  const settings& set;
  journal& log;
  lastcall::process_source& nursery; ///< where the workers come from
};

/// Threads that wait for workers, so that the loop need not: an ordinary component.
class threads {
public:
  explicit threads(surroundings around) : around_{around} {}
  void start();
  void stop(lastcall::context& at);
  lastcall::thread_pool& pool() { return *pool_; }

private:
  surroundings around_;
  std::optional<lastcall::thread_pool> pool_;
};

/// The loop that the services run in.
class event_loop : public lastcall::loop_thread {
public:
  explicit event_loop(surroundings around);
  void start();

private:
  void require_answer();
  surroundings around_;
};

/// The first service: the workers' methods as coroutines, over a pool of threads, over a pool of processes.
///
/// Each call that is under way takes a thread. A stop finds them all taken, now and then, and needs one more:
/// there is one in reserve. It stops the workers' pool, and with that every call that waits comes back.
class scan_service {
public:
  scan_service(surroundings around, threads& on) : around_{around}, threads_{on} {}

  lastcall::task<> start();
  lastcall::task<> stop(lastcall::context& at);

  /// Each throws lastcall::pool_error. When it is cancelled, the call goes on without it.
  lastcall::task<block_result> process_string(std::string text);
  lastcall::task<block_result> process_number(std::string file, std::uint64_t number);
  /// Has every worker search for these, ahead of what is queued; returns when they all do.
  lastcall::task<> update(std::shared_ptr<const pattern_list> patterns, std::uint64_t edition);

private:
  using workers = lastcall::worker_pool<scanner>;
  void make_workers();
  lastcall::worker_options options() const;
  habits habits_of_workers() const;

  surroundings around_;
  threads& threads_;
  std::optional<workers> workers_;
};
