// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/loop.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace lastcall {

namespace detail {

/// A task that another thread has run in a loop. It is shared by that thread and the loop, since either may
/// leave the other: an interrupted caller, a loop that does not bring the task to its end.
class loop_call : public std::enable_shared_from_this<loop_call>, public child_owner {
public:
  loop_call() = default;
  loop_call(const loop_call&) = delete;
  loop_call& operator=(const loop_call&) = delete;
  virtual ~loop_call();

  /// Throws `task_errc::loop_over`.
  void begin(const std::shared_ptr<mailbox>& box, const std::weak_ptr<loop_core>& in);
  /// Any thread. Cancels it in the loop.
  void cancel(std::string_view why) noexcept;
  /// Until it has ended; throws what it threw. Throws `interrupted` on the owner of a signal_scope, and
  /// cancels it.
  void wait();

  // --- the loop ---
  void left_behind() noexcept;
  loop_call* next = nullptr;
  loop_call* before = nullptr;

protected:
  virtual lastcall::task<> run() = 0;

private:
  void enter(loop_core& in) noexcept;
  void child_over(task_end<void> how) noexcept override;
  void publish() noexcept;

  std::shared_ptr<mailbox> box_;
  std::shared_ptr<loop_call> self_; ///< while the loop has it
  std::unique_ptr<scope_node> scope_;
  loop_core* loop_ = nullptr;
  bool cancelled_early_ = false;
  task_end<void> how_;
  std::atomic<std::uint32_t> over_{0}; ///< release by publish pairs with acquire in wait
};

template <class Fn>
class loop_call_of final : public loop_call {
public:
  using value = made_by<Fn&>;
  explicit loop_call_of(Fn&& fn) : fn_{std::move(fn)} {}
  std::optional<std::conditional_t<std::is_void_v<value>, nothing, value>> result{};

private:
  lastcall::task<> run() override {
    if constexpr (std::is_void_v<value>) {
      co_await detail::call(fn_);
      result.emplace();
    } else {
      result.emplace(co_await detail::call(fn_));
    }
  }
  Fn fn_;
};

void begin_call(const loop_handle& in, loop_call& call);

} // namespace detail

/// From another thread: has the task that `fn` makes run in the loop, waits for its end, and gives its value.
///
///     const auto state = lastcall::call_in(handle, [&] { return service.state(); });
///
/// It is no child of the loop's main task: a request does not concern it, the end of the loop does. `stop`
/// cancels it.
/// Stop: waits until the task has ended; on the owner of a signal_scope a request ends the wait, which throws
///   `interrupted`, and cancels the task.
/// Errors: what the task throws; `cancelled` where it was; `task_errc::loop_over` as a std::system_error when
/// the
///   loop takes no calls any more, or ends without bringing this one to its end.
/// Threads: any but the loop's own, which would wait for itself: misuse.
template <makes_task Fn>
detail::made_by<Fn&> call_in(const loop_handle& in, Fn fn, std::stop_token stop = {}) {
  const auto call = std::make_shared<detail::loop_call_of<Fn>>(std::move(fn));
  detail::begin_call(in, *call);
  const std::stop_callback cut{std::move(stop),
                               [&] { call->cancel("whoever waits for it was asked to stop"); }};
  call->wait();
  if constexpr (!std::is_void_v<detail::made_by<Fn&>>) return std::move(*call->result);
}

} // namespace lastcall
