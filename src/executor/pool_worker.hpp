// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/task.hpp>
#include <lastcall/wait/clock.hpp>

#include "executor/short_lock.hpp"
#include "executor/task_queue.hpp"
#include "runtime/thread_record.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace lastcall::detail {

/// unused → begun → idle ⇄ begun → unused
///
/// `begun`: its thread is starting, looks for tasks or runs one. `unused` again when its loop is over.
enum class worker_state : std::uint8_t { unused, begun, idle };

/// One thread of a pool, or its reserve. Its place is kept for as long as the pool's core.
struct alignas(64) pool_worker {
  // Guarded by `lock`: taken by the worker for each task, by others to steal, and to make a report.
  short_lock lock;
  task_queue own{};                    ///< tasks that wait for this worker, unless another one is idle
  const task* running = nullptr;       ///< its label can be read while it is here
  time_point since{};                  ///< when that one began
  std::atomic<std::size_t> waiting{0}; ///< how many are in `own`; written under the lock

  // Guarded by the pool's lock.
  worker_state state = worker_state::unused;
  pool_worker* next_idle = nullptr;
  std::shared_ptr<thread_record> record{};
  std::size_t number = 0;   ///< as in its name; 0: the reserve
  std::size_t handed = 0;   ///< at most so many are in `own`
  std::size_t stops = 0;    ///< stops of its own pool that its task is in
  bool searches = false;    ///< it is counted as one that will find what has just come
  bool left_behind = false; ///< nobody waits for it any more

  std::atomic<std::uint32_t> woken{0}; ///< what it sleeps on
};

} // namespace lastcall::detail
