// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/in_flight.hpp>
#include <lastcall/scope/reason.hpp>
#include <lastcall/task/child.hpp>
#include <lastcall/task/task.hpp>
#include <lastcall/wait/deadline.hpp>

#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {
class loop_core;
class mailbox;
class loop_run;
} // namespace detail

/// What a loop's exception handler is told. The texts live for the call only.
struct loop_exception {
  std::string_view loop; ///< its name
  std::string_view
      where; ///< "a handler of its io_context", "a function posted to it", "to_thread, abandoned"
  std::exception_ptr error; ///< what was thrown
};

/// Gets what nobody awaits: an exception that would otherwise reach nobody. Runs in the loop and must not
/// wait. What it throws is told on standard error. Without one, each such exception is told there, and
/// `loop::unhandled` counts it.
using loop_exception_handler = std::function<void(const loop_exception&)>;

struct loop_options {
  std::string name = "loop"; ///< for reports
  /// How long what still runs when the main task has ended is waited for, once it was cancelled.
  duration patience = std::chrono::seconds{5};
  loop_exception_handler on_exception{};
};

/// Reaches a loop from other threads, and goes on to be safe when the loop is gone.
class loop_handle {
public:
  /// `fn` runs in the loop, soon, in order of posting. What it throws goes to the loop's exception handler.
  /// Throws `task_errc::loop_over` when the loop takes nothing any more; `fn` was not kept then.
  void post(std::function<void()> fn) const;
  /// The same, false instead.
  bool try_post(std::function<void()> fn) const;

  // For `call_in`.
  [[nodiscard]] const std::shared_ptr<detail::mailbox>& box() const noexcept { return to_; }
  [[nodiscard]] const std::weak_ptr<detail::loop_core>& core() const noexcept { return core_; }

private:
  friend class loop;
  explicit loop_handle(std::weak_ptr<detail::loop_core> core, std::shared_ptr<detail::mailbox> to) noexcept
      : core_{std::move(core)}, to_{std::move(to)} {}
  std::weak_ptr<detail::loop_core> core_;
  std::shared_ptr<detail::mailbox> to_;
};

/// Runs coroutines on one thread, over Asio.
///
///     lastcall::loop loop;
///     loop.run([&]() -> lastcall::task<> {
///       asio::ip::tcp::acceptor door{loop.context(), {asio::ip::tcp::v4(), 8080}};
///       co_await lastcall::with_nursery([&](lastcall::nursery& guests) -> lastcall::task<> {
///         for (;;) guests.start(serve, co_await door.async_accept(lastcall::use_task));
///       });
///     });
///
/// It runs once, until its main task has ended; what else runs in it then (calls from other threads,
/// nurseries that are held by objects) is cancelled and brought to its end. For a whole program use
/// `run_async`.
///
/// Signals: where the thread that runs it owns a `signal_scope`, a request is delivered to the main task at
/// its
///   next suspension, as `cancelled`, and to nobody else in it; a second one shortens bounds (`hurry`).
///   Checkpoints inside coroutines deliver nothing.
/// Threads: all but `handle()` and what comes of it belongs to the thread that runs it.
/// Errors: a second run is `task_errc::loop_used`. What the main task throws, `run` throws.
/// Lifetime: what does not end within `patience` is never destroyed, and counted: on standard error, and as
/// an
///   operation in flight in the runtime's report.
/// Limits: `asio::io_context::stop` does not end it. Timers are exact to what the kernel's are.
class loop {
public:
  explicit loop(loop_options options = {});
  /// Ends what still runs.
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// For sockets, pipes, timers and signal sets of Asio's.
  [[nodiscard]] asio::io_context& context() noexcept;
  [[nodiscard]] loop_handle handle() const noexcept;

  /// Runs the task that `main` makes, and everything that it starts, until it has ended. Returns its value.
  template <makes_task Fn>
  detail::made_by<Fn&> run(Fn main);

  /// For tests and for loops of others: the same in pieces. `begin`, then `step` as long as there is
  /// something to do; it does everything that can be done without waiting, and returns whether the main task
  /// still runs.
  template <makes_task Fn>
  void begin(Fn main);
  bool step() noexcept;
  /// Waits, and then steps; as `run` does.
  bool wait_and_step() noexcept;
  /// The moment of its earliest timer.
  [[nodiscard]] std::optional<time_point> next_due() const noexcept;
  /// Whether somebody outside (a thread of `to_thread`) is going to come back.
  [[nodiscard]] bool expects_others() const noexcept;
  /// Of a `begin`: ends what still runs, and throws what the main task threw.
  void finish();

  /// How many coroutines run in it: the main task, children, calls.
  [[nodiscard]] std::size_t running() const noexcept;
  /// Whoever holds back or cleans up, in all of it, has only until then.
  void hurry(deadline until) noexcept;
  /// Cancels the main task, or everything that runs in the loop; the first time counts.
  void cancel(std::string_view why) noexcept;
  void cancel_all(std::string_view why) noexcept;
  /// Whether the main task was: by a request, or by one of these.
  [[nodiscard]] bool was_cancelled() const noexcept;
  void on_exception(loop_exception_handler handler) noexcept;
  /// How many exceptions went to standard error, since nobody else took them.
  [[nodiscard]] std::size_t unhandled() const noexcept;

  /// For what belongs to a loop.
  [[nodiscard]] const std::shared_ptr<detail::loop_core>& core() const noexcept { return core_; }

private:
  void
  begin_main(const std::function<void(detail::loop_core&, detail::scope_node&, detail::child_owner&)>& start);
  void run_to_end();

  std::shared_ptr<detail::loop_core> core_;
  duration patience_;
  std::unique_ptr<in_flight> in_flight_;
  std::unique_ptr<detail::loop_run> run_;
};

/// The loop's request was heard and is done with: the main task goes on, and the next request cancels it
/// anew. In a loop that hears no requests it takes back what `loop::cancel` did. Only in the main task's own
/// frames.
void acknowledge_request();

// Implementation

template <makes_task Fn>
void loop::begin(Fn main) {
  begin_main([&](detail::loop_core& core, detail::scope_node& in, detail::child_owner& to) {
    detail::make_child(core, in, to, [main = std::move(main)]() mutable -> task<> {
      co_await main();
    }).start();
  });
}

template <makes_task Fn>
detail::made_by<Fn&> loop::run(Fn main) {
  using value = detail::made_by<Fn&>;
  if constexpr (std::is_void_v<value>) {
    begin(std::move(main));
    run_to_end();
  } else {
    std::optional<value> result;
    begin([main = std::move(main), &result]() mutable -> task<> { result.emplace(co_await main()); });
    run_to_end();
    return std::move(*result);
  }
}

} // namespace lastcall
