// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/child.hpp>
#include <lastcall/task/errors.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/task.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lastcall {

class loop;

/// In which order the children of a nursery that is cancelled hear of it.
enum class cancel_order : std::uint8_t {
  newest_first, ///< in the reverse order of their start, all in one go
  oldest_first, ///< in the order of their start, all in one go
  one_by_one    ///< newest first, each when the one before has ended
};

/// What an error of a child means to the others.
enum class on_child_error : std::uint8_t {
  cancel_others, ///< they are cancelled, and `join` throws the error
  report         ///< nothing: the loop's exception handler is told, and they go on
};

struct nursery_options {
  std::string_view name = "nursery"; ///< the source of its cancellations
  cancel_order order = cancel_order::newest_first;
  on_child_error error = on_child_error::cancel_others;
};

namespace detail {
class nursery_core;
class loop_core;
} // namespace detail

/// Where coroutines run beside each other, and nobody is left behind: it ends when all its children have.
///
///     co_await lastcall::with_nursery([&](lastcall::nursery& n) -> lastcall::task<> {
///       n.start(fetch, "a");                 // both run from here on
///       n.start(fetch, "b");
///       co_await prepare();
///     });                                     // all three have ended
///
/// The error of a child cancels the others; when all have ended, all errors are thrown as `failures`. A
/// nursery inside a scope that is cancelled is cancelled with it, and is waited for all the same.
///
/// `with_nursery` is the way to have one. An object that starts tasks in one function and ends them in
/// another (an asynchronous component) has one as a member, which hangs on its loop's outermost scope and has
/// to be waited for:
///
///     task<> stop() { tasks_.cancel("stop"); co_await tasks_.join(); }
///
/// Threads: the loop's alone.
/// Errors: leaving one whose children still run, without `join`, is misuse and aborts with their number.
///   Starting something once it was joined throws `task_errc::nursery_closed`.
class nursery {
public:
  /// In the outermost scope of `of`.
  explicit nursery(loop& of, const nursery_options& options = {});
  ~nursery();
  nursery(const nursery&) = delete;
  nursery& operator=(const nursery&) = delete;

  /// From now on `fn(args…)`, a task, is a child. Function and arguments are copied or moved into it
  /// (std::ref where a reference is meant). It begins when the loop comes to it; in a nursery that is
  /// cancelled it ends at its first suspension. Throws std::bad_alloc, what copying throws, and
  /// `task_errc::nursery_closed`.
  template <class Fn, class... Args>
  requires makes_task < std::decay_t<Fn>
  &, std::decay_t<Args>... > void start(Fn&& fn, Args&&... args);

  /// The first reason counts.
  void cancel(std::string_view why) noexcept;
  [[nodiscard]] bool cancel_called() const noexcept;
  /// How many children run.
  [[nodiscard]] std::size_t size() const noexcept;

  /// Waits until all children have ended, those that they start meanwhile included; then throws their errors
  /// as `failures`. When whoever waits is cancelled, the children are, and are waited for all the same;
  /// `cancelled` is thrown then. Afterwards it is closed.
  task<> join();

  /// For `with_nursery`.
  explicit nursery(std::unique_ptr<detail::nursery_core> core) noexcept;
  [[nodiscard]] detail::nursery_core& core() noexcept { return *core_; }

private:
  std::unique_ptr<detail::nursery_core> core_;
};

namespace detail {

/// The inside of a nursery. Children in `one_by_one` have a scope of their own each, which keeps the
/// nursery's cancellation out until it is their turn.
class nursery_core final : public scope_node, public child_owner {
public:
  nursery_core(loop_core& loop, const nursery_options& options);
  ~nursery_core();

  void require_open() const;
  void child_begins() noexcept { ++children_; }
  void child_never_began() noexcept { --children_; }
  [[nodiscard]] std::size_t size() const noexcept { return children_; }
  [[nodiscard]] bool takes_turns() const noexcept { return order_ == cancel_order::one_by_one; }

  /// Keeps what went wrong, and cancels the others.
  void failed(std::exception_ptr error, std::string_view who) noexcept;
  void throw_failures();
  void close() noexcept { closed_ = true; }
  /// What nobody has taken goes to the loop's exception handler.
  void report_failures() noexcept;
  [[nodiscard]] bool outlived_its_loop() const noexcept;

  /// A child's own scope in `one_by_one`.
  class turn final : public scope_node {
  public:
    explicit turn(nursery_core& of);
    ~turn();

  private:
    friend class nursery_core;
    nursery_core& of_;
    turn* before_;
    turn* after_ = nullptr;
  };

  /// Ends when all children have. Never cut: a cancellation of whoever waits cancels the children.
  class all_ended final : private waiting {
  public:
    explicit all_ended(nursery_core& of) noexcept : of_{of} {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> frame) noexcept;
    void await_resume() const noexcept {}

  private:
    friend class nursery_core;
    void abort() noexcept override;
    void pass_on() noexcept;
    nursery_core& of_;
    activity* who_ = nullptr;
  };

private:
  void child_over(task_end<void> how) noexcept override;
  void on_due() noexcept override;
  void next_turn() noexcept;

  const std::shared_ptr<loop_core> alive_; ///< a component may outlive its loop
  const cancel_order order_;
  const on_child_error on_error_;
  std::size_t children_ = 0;
  std::vector<std::exception_ptr> errors_;
  std::size_t unkept_ = 0;
  all_ended* waits_ = nullptr;
  turn* last_turn_ = nullptr;
  bool closed_ = false;
};

/// A child that waits for its turn to be cancelled.
template <class Fn, class... Args>
lastcall::task<> in_turn(nursery_core* of, Fn fn, Args... args) {
  nursery_core::turn mine{*of};
  task_end<void> how;
  {
    const inside here{mine};
    how = co_await settled(call(fn, std::move(args)...));
  }
  std::move(how).take();
}

template <class Fn, class... Args>
void start_child(nursery_core& of, Fn&& fn, Args&&... args) {
  of.require_open();
  of.child_begins();
  try {
    if (of.takes_turns())
      make_child(of.its_loop(), of, of, in_turn<std::decay_t<Fn>, std::decay_t<Args>...>, &of,
                 std::forward<Fn>(fn), std::forward<Args>(args)...)
          .start();
    else
      make_child<std::decay_t<Fn>, std::decay_t<Args>...>(of.its_loop(), of, of, std::forward<Fn>(fn),
                                                          std::forward<Args>(args)...)
          .start();
  } catch (...) {
    of.child_never_began();
    throw;
  }
}

/// One in the scope that this coroutine is in, to be entered.
std::unique_ptr<nursery_core> nursery_here(const nursery_options& options);

} // namespace detail

/// Runs the task that `body(nursery)` makes, and the children that it starts; ends when all have. Throws
/// `failures` with all errors, the body's among them; `cancelled` where a scope outside is cancelled.
template <class Body>
requires makes_task<Body&, nursery&> task<> with_nursery(nursery_options options, Body body) {
  nursery n{detail::nursery_here(options)};
  auto& core = n.core();
  task_end<void> how;
  bool cut_here = false;
  {
    const detail::inside here{core};
    how = co_await settled(detail::call(body, n));
    if (how.failed()) core.failed(how.error(), "the body of the nursery");
    co_await detail::nursery_core::all_ended{core};
    cut_here = core.is_mine();
  }
  core.close();
  core.throw_failures();
  if (!(how.was_cancelled() && cut_here)) std::move(how).take();
  if (const auto by = this_task::why()) throw cancelled{*by};
}
template <class Body>
requires makes_task<Body&, nursery&> task<> with_nursery(Body body) {
  return with_nursery(nursery_options{}, std::move(body));
}

// Implementation

template <class Fn, class... Args>
requires makes_task < std::decay_t<Fn>
&, std::decay_t<Args>... > void nursery::start(Fn&& fn, Args&&... args) {
  detail::start_child(*core_, std::forward<Fn>(fn), std::forward<Args>(args)...);
}

} // namespace lastcall
