// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/reason.hpp>
#include <lastcall/trace/inline_text.hpp>

#include <string>

namespace lastcall {

/// Why a coroutine is to end, and who says so. A value of fixed size: copying it never allocates or throws.
struct cancellation {
  reason why{};             ///< a request, a call, a deadline: as data
  inline_text<48> source{}; ///< the name of the scope, the nursery or the loop it comes from
};

/// One line for people: "nursery 'downloads': call: a sibling failed: connection refused".
std::string describe(const cancellation& what);

/// How a cancellation is delivered: thrown by whatever the coroutine waits for.
///
/// Destructors run and `catch (...)` blocks run, as for any exception: what a coroutine has begun it can take
/// back. It is deliberately not a std::exception, like `interrupted`, and for the same reason: `catch
/// (std::exception&)` around a retry loop must not swallow it. Swallowed by `catch (...)`, it comes again at
/// the next suspension, until the scope that was cancelled has been left. For what has to wait while it
/// cleans up there are `finally` and `shielded`.
///
/// Only scopes end it: see `cancel_scope`. Code that would rather look at a value has `try_sleep_for`,
/// `use_task_code` and `settled`.
class cancelled {
public:
  explicit cancelled(const cancellation& by) noexcept : by_{by} {}
  [[nodiscard]] const cancellation& by() const noexcept { return by_; }
  [[nodiscard]] const reason& why() const noexcept { return by_.why; }

private:
  cancellation by_;
};

} // namespace lastcall
