// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/errors.hpp>
#include <lastcall/executor/future.hpp>
#include <lastcall/executor/pool_options.hpp>
#include <lastcall/executor/pool_report.hpp>
#include <lastcall/executor/task.hpp>
#include <lastcall/wait/deadline.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {
class pool_core;
template <class Fn>
using task_result = std::remove_cvref_t<decltype(call_task(std::declval<Fn&>(), std::declval<stop_token>()))>;
} // namespace detail

/// Threads that run what is posted to them, with an end that can be relied on.
///
/// A pool that is filled with tasks that never return cannot run the task that would stop them; a program
/// that then waits for its pool waits for ever, without a word on which task it waits for. This one has a
/// *reserve lane*, a thread made before it is needed that runs `submit_final` whatever the others are doing;
/// it is drained or dropped by a deadline; and what does not end by then is named, with its label, its
/// running time and its stack.
///
///     lastcall::thread_pool pool{{.name = "indexer", .threads = 4}};
///     pool.post("index a.txt", [] { index("a.txt"); });
///     auto size = pool.submit("size", [](lastcall::stop_token stop) { return count(stop); });
///     …
///     pool.submit_final("flush", [&] { log.flush(); });
///     if (auto left = pool.drop(lastcall::deadline::after(5s)); left.late()) complain(describe(left));
///
/// A task is anything that can be moved and called, with nothing or with a stop token (lastcall's or std's).
/// That token fires when the pool is dropped or destroyed, or its runtime ends; waits that take it (`io::`,
/// queues, futures) end at once. A task without a token is never cut.
///
/// Threads: all functions from any thread, tasks of the pool included: one that drains or drops its own pool
///   waits for the others.
/// Stop: at the end of the runtime the pool closes, tokens fire, what is queued is run, and the threads are
///   joined. Of a pool that is dropped by its deadline, those that have not ended are left behind, and the
///   end of the runtime does not wait for them again.
/// Errors: the constructor throws std::invalid_argument, std::system_error (runtime_errc, or what the system
///   refused: then no thread is left of it). Posting throws std::system_error with executor_errc, or
///   runtime_errc::ending and ::over; the task is then destroyed and has not run.
/// Fork: the child's pool refuses everything, and neither waits nor hangs.
/// Lifetime: see the destructor. What a thread that was left behind may still use is never freed.
class thread_pool {
public:
  static constexpr std::size_t most_threads = 32768;
  /// How long the destructor waits, in all.
  static constexpr duration patience = std::chrono::seconds{2};

  /// All of `options.threads` and the reserve are there when it returns. Needs a live runtime.
  explicit thread_pool(pool_options options = {});
  /// Closes it, asks the tasks that take a token to stop, lets run what is queued. What has not begun within
  /// `patience` is dropped, what has not ended is left behind; either is reported.
  ~thread_pool();
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// Has `fn` run, and tells nobody. What it throws goes to `on_failure`. When as much waits as may:
  /// `pool_options::full`. `own` is a token of the task's own: it stops it as the pool does.
  template <detail::runs_as_task Fn>
  void post(std::string_view label, Fn&& fn) {
    enter(detail::make_task(label, std::forward<Fn>(fn)), lane::common);
  }
  template <class Fn>
  requires detail::takes_token<std::decay_t<Fn>>
  void post(std::string_view label, Fn&& fn, stop_token own) {
    post(label, detail::with_token<std::decay_t<Fn>>{std::forward<Fn>(fn), std::move(own)});
  }
  template <detail::runs_as_task Fn>
  void post(Fn&& fn) {
    post({}, std::forward<Fn>(fn));
  }

  /// The same without waiting: false when it is full or takes nothing, with the reason. Throws
  /// std::bad_alloc, and what moving `fn` throws.
  template <detail::runs_as_task Fn>
  bool try_post(std::string_view label, Fn&& fn) {
    std::error_code why;
    return try_post(label, std::forward<Fn>(fn), why);
  }
  template <detail::runs_as_task Fn>
  bool try_post(std::string_view label, Fn&& fn, std::error_code& why) {
    why = try_enter(detail::make_task(label, std::forward<Fn>(fn)));
    return !why;
  }
  template <class Fn>
  requires detail::takes_token<std::decay_t<Fn>>
  bool try_post(std::string_view label, Fn&& fn, stop_token own, std::error_code& why) {
    return try_post(label, detail::with_token<std::decay_t<Fn>>{std::forward<Fn>(fn), std::move(own)}, why);
  }

  /// Has `fn` run, and gives what it returns or throws.
  template <detail::runs_as_task Fn>
  auto submit(std::string_view label, Fn&& fn) {
    return submit_to(lane::common, label, std::forward<Fn>(fn));
  }
  template <class Fn>
  requires detail::takes_token<std::decay_t<Fn>>
  auto submit(std::string_view label, Fn&& fn, stop_token own) {
    return submit(label, detail::with_token<std::decay_t<Fn>>{std::forward<Fn>(fn), std::move(own)});
  }
  template <detail::runs_as_task Fn>
  auto submit(Fn&& fn) {
    return submit({}, std::forward<Fn>(fn));
  }

  /// The same on the reserve lane: for what a stop needs. It runs although every other thread is blocked for
  /// ever, one after the other, also once the pool is closed, until the pool is destroyed or the runtime ends
  /// its daemons. Never waits.
  template <detail::runs_as_task Fn>
  auto submit_final(std::string_view label, Fn&& fn) {
    return submit_to(lane::reserve, label, std::forward<Fn>(fn));
  }

  /// Admits nothing more, and waits until all that was accepted has run and the threads have ended. When the
  /// deadline passes before, it says what runs and what waits; that goes on. Ends by the deadline only.
  pool_report drain(deadline until) noexcept;

  /// Admits nothing more, discards what is queued (futures become ready with executor_errc::dropped), asks
  /// the running tasks to stop, and waits for them and for the reserve lane. Those that have not ended by the
  /// deadline are named and left behind. Ends by the deadline only; destructors of discarded tasks, and
  /// callbacks on the tokens, run inside.
  pool_report drop(deadline until) noexcept;

  /// Admits nothing more; what is queued is run. Does not wait.
  void close() noexcept;
  bool closed() const noexcept;

  const std::string& name() const noexcept;
  /// Threads, without the reserve.
  std::size_t size() const noexcept;
  /// Tasks that run, those of the reserve lane included, and tasks that wait.
  std::size_t running() const noexcept;
  std::size_t waiting() const noexcept;
  /// Whether the calling thread is one of this pool's.
  bool runs_here() const noexcept;

private:
  enum class lane : bool { common, reserve };

  void enter(detail::task_ptr one, lane which);
  std::error_code try_enter(detail::task_ptr one);

  template <class Fn>
  auto submit_to(lane which, std::string_view label, Fn&& fn) {
    using held = std::decay_t<Fn>;
    using result = detail::task_result<held>;
    using state = detail::submitted_state<held, result>;
    auto* made = new state(held(std::forward<Fn>(fn)));
    detail::submitted<held, result> work{made};
    future<result> answer{made};
    enter(detail::make_task(label, std::move(work)), which);
    return answer;
  }

  std::shared_ptr<detail::pool_core> core_;
};

} // namespace lastcall
