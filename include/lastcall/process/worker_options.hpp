// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>
#include <lastcall/process/stop_plan.hpp>
#include <lastcall/wait/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <signal.h>

namespace lastcall {

class cgroup;
class log_writer;

/// What a worker does about SIGINT and SIGTERM that it gets itself, be it from a terminal, as a member of the
/// manager's group, or alone. Whatever it does, the manager is told: `worker_options::on_request`.
enum class on_interrupt : std::uint8_t {
  ignore_until_stop, ///< nothing; once the manager has asked for the stop, SIGTERM ends it
  end_quietly,       ///< it is delivered at checkpoints of the call that runs, which fails; the worker ends,
                     ///< silently
  deliver_after      ///< the call that runs is finished first, then the worker ends, silently
};

/// What becomes of the call whose worker ended in the middle of it.
enum class on_crash : std::uint8_t {
  fail, ///< `pool_errc::worker_ended`
  retry ///< another worker makes it, up to `worker_options::tries` times in all
};

/// What becomes of the worker whose call did not end by its deadline. The caller has its answer in any case.
enum class on_late_call : std::uint8_t {
  replace, ///< it is killed, and another one takes its place
  let_run  ///< it is busy until the call ends; its result is dropped
};

/// What a worker begins with that takes the place of another.
enum class broadcast_memory : std::uint8_t {
  none,
  last_of_each ///< the last broadcast of each method is made to it as its first calls
};

/// A request that a worker was sent.
struct worker_request {
  int worker = 0;
  pid_t pid = 0;
  int signal = 0;
  pid_t sender = 0; ///< 0: the kernel, such as a terminal
  std::uint32_t user = 0;
};

/// The end of a worker that nobody had asked for, or how it went when it was.
struct worker_end {
  int worker = 0;
  process_end end{};
  bool asked = false; ///< the pool was stopping
  std::string text{}; ///< for people: "worker 2 (pid 4711) killed by SIGSEGV during a call"
};

/// How a pool of workers is made.
struct worker_options {
  std::string name = "worker";
  std::size_t workers = 2;
  std::size_t queue = 1024;                            ///< calls that wait; then `call` does
  duration bootstrap_within = std::chrono::seconds{5}; ///< from the order to the process's first word
  duration start_within = std::chrono::seconds{30};    ///< … to its object being made
  lastcall::on_interrupt on_interrupt = on_interrupt::ignore_until_stop;
  lastcall::on_crash on_crash = on_crash::fail;
  unsigned tries = 2; ///< of `on_crash::retry`
  on_late_call on_late = on_late_call::replace;
  broadcast_memory memory = broadcast_memory::last_of_each;
  std::size_t replacements = 5; ///< workers replaced within `replacements_within` …
  duration replacements_within = std::chrono::seconds{10}; ///< … and one more makes the pool broken
  /// How workers are stopped by `stop()` and the destructor; `ask` is a message, which passes all calls.
  stop_plan plan{stop_step::ask(std::chrono::seconds{5}), stop_step::term(std::chrono::seconds{1}),
                 stop_step::kill(std::chrono::seconds{1})};
  /// How long a worker may take to end by itself when the manager has gone.
  duration orphan_grace = std::chrono::milliseconds{500};
  std::uint64_t frame_limit = std::uint64_t{1} << 30U; ///< bytes of one call's arguments, or of its result
  /// Where `this_worker::log` leads; must outlive the pool.
  log_writer* log = nullptr;
  /// Where workers begin, with all that they start; none: where their source is. Must outlive the pool.
  const cgroup* inside = nullptr;
  /// Both on the pool's thread, with no lock held: they must be short. What they throw is dropped.
  std::function<void(const worker_request&)> on_request{};
  std::function<void(const worker_end&)> on_end{};
};

/// What became of a pool.
struct workers_report {
  std::vector<worker_end> ends{}; ///< of all workers, oldest first; the last 1,000
  std::vector<int> left_behind{}; ///< workers that did not end even when they were killed
  std::size_t calls_dropped = 0;  ///< that were waiting, or not finished, when it stopped
  bool in_time = true;            ///< everything has ended by the deadline
};

} // namespace lastcall
