// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/errors.hpp>
#include <lastcall/task/task.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

namespace lastcall {

namespace detail {
/// Of a body and its finalizer: the one that failed, or both as `failures`.
[[noreturn]] void throw_both(const std::exception_ptr& body, const std::exception_ptr& cleanup);
} // namespace detail

/// Runs `body`, and then, whatever became of it, `cleanup`: a coroutine, which may wait. Gives what the body
/// gave, or throws what it threw.
///
///     co_await lastcall::finally([&] { return transfer(session); },
///                                [&] { return session.say_goodbye(); }, 2s);
///
/// A destructor cannot wait, and what waits in a cancelled coroutine is cancelled at once. `cleanup` always
/// gets to run, behind a shield, and for `bound` at most: then it is cut, which is an error
/// (std::errc::timed_out). An error of the cleanup is thrown in place of the body's value or cancellation;
/// together with a body's error as `failures`. A second request to the program shortens the bound to two
/// seconds.
template <makes_task Body, makes_task Cleanup>
requires std::is_void_v<detail::made_by<Cleanup&>> task<detail::made_by<Body&>>
finally(Body body, Cleanup cleanup, duration bound) {
  auto how = co_await settled(detail::call(body));
  auto cleaned = co_await settled(shielded(deadline::after(bound), std::move(cleanup)));
  if (!cleaned) detail::throw_both(how.failed() ? how.error() : nullptr, cleaned.error());
  co_return std::move(how).take();
}

} // namespace lastcall
