// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>
#include <lastcall/task/scope_node.hpp>
#include <lastcall/task/task.hpp>
#include <lastcall/wait/deadline.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {

/// What a body that may be cut gives: whether it came to its end, or its value if it did.
template <class T>
using if_finished = std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>;

/// Of a body in `scope`, once that was left: its value, nothing where `scope` itself cut it, or throws.
template <class T>
if_finished<T> finish(task_end<T>&& how, bool cut_here) {
  if (how.was_cancelled() && cut_here) return {};
  if constexpr (std::is_void_v<T>) {
    std::move(how).take();
    return true;
  } else {
    return std::move(how).take();
  }
}

/// A scope for as long as it is in scope.
class inside {
public:
  explicit inside(scope_node& what) : what_{what}, who_{activity::must_be_in_one()} { what_.enter(who_); }
  ~inside() { what_.leave(who_); }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

private:
  scope_node& what_;
  activity& who_;
};

} // namespace detail

/// How a scope begins.
struct scope_options {
  std::string_view name = "cancel scope"; ///< the source of its cancellations; up to 48 characters are kept
  deadline until = deadline::never();     ///< cancels it at that moment
  bool shielded = false;                  ///< what is cancelled outside does not get in
};

/// A stretch of a coroutine, and of all that it starts and awaits, that can be cancelled as one.
///
///     lastcall::cancel_scope search{{.name = "search"}};
///     stop_button.on_press([&] { search.cancel("the user has seen enough"); });
///     const bool finished = co_await search.run([&]() -> lastcall::task<> { … });
///     if (!finished) show("stopped");
///
/// Cancelling it makes every suspension inside throw `cancelled`, again and again, until the body is left: it
/// is *level-triggered*, so that code which swallows one (or cleans up with a co_await) is not lost to it.
/// The exception ends at `run` of the outermost scope that is cancelled. A body that ends all the same, with
/// a value or an error, has ended so.
///
/// A shield keeps cancellation from outside out; the scope's own `cancel` and deadline work. `lift_shield`
/// delivers at once what was held back. For the usual cases: `move_on_after`, `fail_after`, `shielded`.
///
/// Threads: the loop's alone; from others `loop_handle::post`.
/// Lifetime: outlives its `run`, which is called once; destroying it inside is misuse.
class cancel_scope {
public:
  /// Inside a coroutine of a loop. Throws std::bad_alloc.
  explicit cancel_scope(const scope_options& options = {});
  cancel_scope(const cancel_scope&) = delete;
  cancel_scope& operator=(const cancel_scope&) = delete;

  /// The first reason counts. A scope that is cancelled before its `run` cuts the body at its first
  /// suspension.
  void cancel(std::string_view why) noexcept;
  void cancel(const reason& why) noexcept { node_.cancel(why); }
  [[nodiscard]] bool cancel_called() const noexcept { return node_.own().has_value(); }
  [[nodiscard]] const std::optional<cancellation>& why() const noexcept { return node_.own(); }

  /// Moves the deadline; one that has passed cancels. Throws std::bad_alloc.
  void until(deadline when) { node_.cancel_at(when); }
  [[nodiscard]] deadline until() const noexcept { return node_.cancels_at(); }

  void put_up_shield() noexcept { node_.shield(detail::shielding::up); }
  /// What it held back is delivered to all inside, at once.
  void lift_shield() noexcept { node_.shield(detail::shielding::none); }
  /// A shield that gives way once it has held something back for so long.
  void shield_for(duration longest) { node_.shield_for(longest); }

  /// Runs the task that `body` makes, in this scope: true, or its value; false, or nothing, where this
  /// scope's cancellation cut it. Throws what the body throws, and `cancelled` where a scope outside is
  /// cancelled.
  template <makes_task Body>
  task<detail::if_finished<detail::made_by<Body&>>> run(Body body) {
    task_end<detail::made_by<Body&>> how;
    bool cut_here = false;
    {
      const detail::inside here{node_};
      how = co_await settled(detail::call(body));
      cut_here = node_.is_mine();
    }
    co_return detail::finish(std::move(how), cut_here);
  }

private:
  detail::scope_node node_;
};

/// Runs `body` for at most that long: true, or its value; false, or nothing, where it was cut.
///
///     const auto page = co_await lastcall::move_on_after(2s, [&] { return fetch(url); });
///     show(page ? *page : the_old_one);
template <makes_task Body>
task<detail::if_finished<detail::made_by<Body&>>> move_on_at(deadline until, Body body) {
  cancel_scope scope{{.name = "move_on_after", .until = until}};
  co_return co_await scope.run(std::move(body));
}
template <makes_task Body>
auto move_on_after(duration longest, Body body) {
  return move_on_at(deadline::after(longest), std::move(body));
}

namespace detail {
[[noreturn]] void throw_timed_out(std::string_view what);
} // namespace detail

/// The same, and throws a std::system_error with std::errc::timed_out where it was cut.
template <makes_task Body>
task<detail::made_by<Body&>> fail_at(deadline until, Body body) {
  cancel_scope scope{{.name = "fail_after", .until = until}};
  auto value = co_await scope.run(std::move(body));
  if (!value) detail::throw_timed_out("fail_after");
  if constexpr (!std::is_void_v<detail::made_by<Body&>>) co_return std::move(*value);
}
template <makes_task Body>
auto fail_after(duration longest, Body body) {
  return fail_at(deadline::after(longest), std::move(body));
}

/// Runs `body` behind a shield: a cancellation from outside does not reach it before the bound, which runs
/// from the moment at which there is one to be held back; then it gets in. The bound means what it means to a
/// thread's `shield`. Afterwards the next suspension delivers; what `body` returned cannot be lost to it.
///
///     co_await lastcall::shielded(5s, [&] { return ledger.commit(entry); });
template <makes_task Body>
task<detail::made_by<Body&>> shielded(duration bound, Body body) {
  cancel_scope scope{{.name = "shielded"}};
  scope.shield_for(bound);
  auto value = co_await scope.run(std::move(body));
  if constexpr (!std::is_void_v<detail::made_by<Body&>>) co_return std::move(*value);
}

/// The same up to a moment, which is a deadline of its own: it fires whether somebody else has cancelled or
/// not, and cuts the body with std::errc::timed_out.
template <makes_task Body>
task<detail::made_by<Body&>> shielded(deadline until, Body body) {
  cancel_scope scope{{.name = "shielded", .until = until, .shielded = true}};
  auto value = co_await scope.run(std::move(body));
  if (!value) detail::throw_timed_out("shielded");
  if constexpr (!std::is_void_v<detail::made_by<Body&>>) co_return std::move(*value);
}

/// A shield of a thread would be up while this thread runs other coroutines: say how long it may hold back.
template <makes_task Body>
void shielded(Body&& body) = delete;

} // namespace lastcall
