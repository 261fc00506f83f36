// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/runtime/errors.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/task/activity.hpp>
#include <lastcall/task/message.hpp>
#include <lastcall/task/task.hpp>
#include <lastcall/task/task_end.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <cxxabi.h>

namespace lastcall {

/// What a cancellation means to a function that runs on a thread: nobody can cut that.
enum class when_cancelled : std::uint8_t {
  wait,   ///< its stop token fires, and it is waited for; what it returns or throws counts
  abandon ///< its stop token fires, and the coroutine goes on at once, with `cancelled`
};

namespace detail {

/// A function on its way through a pool and back. Worker and coroutine share it; a coroutine that has left it
/// behind does not look at it again.
class thread_job : public message, public std::enable_shared_from_this<thread_job>, private waiting {
public:
  explicit thread_job(when_cancelled policy) : policy_{policy} {}

  // --- the coroutine ---
  bool await_ready() const noexcept { return false; }
  /// False where a cancellation is due; throws what `post` throws.
  bool await_suspend(std::coroutine_handle<> frame);
  [[nodiscard]] bool left_behind() const noexcept { return cut_.has_value() && (abandoned_ || !begun_); }
  [[noreturn]] void throw_cut() const { throw cancelled{*cut_}; }

  // --- the worker ---
  /// The result is there. In the end of the loop it goes nowhere, which is said where it is an error.
  void come_back() noexcept;
  [[nodiscard]] stop_token token() const noexcept { return stop_.token(); }

protected:
  /// Into the pool. Throws where that refuses it.
  virtual void post() = 0;
  virtual std::exception_ptr failure() const noexcept = 0;

private:
  void abort() noexcept override;
  void arrive() noexcept override;

  const when_cancelled policy_;
  stop_source stop_;
  activity* who_ = nullptr;
  std::shared_ptr<loop_core> loop_; ///< while the job is out
  std::shared_ptr<class mailbox> box_;
  std::optional<cancellation> cut_{};
  bool begun_ = false;
  bool abandoned_ = false;
};

enum class pool_lane : bool { common, reserve };

template <class Fn>
class thread_job_of final : public thread_job {
public:
  using value = std::remove_cvref_t<decltype(call_task(std::declval<Fn&>(), std::declval<stop_token>()))>;

  thread_job_of(thread_pool& pool, pool_lane lane, std::string_view label, when_cancelled policy, Fn&& fn)
      : thread_job{policy}, pool_{pool}, lane_{lane}, label_{label}, fn_{std::move(fn)} {}
  value await_resume() {
    if (left_behind()) throw_cut();
    return std::move(how_).take();
  }

private:
  /// What the pool holds. One that is discarded comes back with that.
  struct run {
    std::shared_ptr<thread_job_of> it;
    std::error_code why = executor_errc::unfinished;

    explicit run(std::shared_ptr<thread_job_of> job) noexcept : it{std::move(job)} {}
    run(run&&) noexcept = default;
    run& operator=(run&&) = delete;
    ~run() {
      if (it == nullptr) return;
      try {
        throw std::system_error{why, std::string{it->label_}};
      } catch (...) {
        it->how_.set_exception();
      }
      it->end();
    }
    // UndefinedBehaviorSanitizer takes exception to the unwinding of pthread_exit, which refers to no object.
    __attribute__((no_sanitize("undefined"))) void operator()(const stop_token& of_thread) {
      auto& job = *it;
      try {
        if constexpr (takes_token<Fn>) {
          stop_source both;
          const stop_link to_thread{both, of_thread}, to_own{both, job.token()};
          job.call(both.token());
        } else {
          job.call({});
        }
      } catch (const runtime_ended&) { // the thread itself ends here, as it does in the next: ~run says so
        throw;
      } catch (const abi::__forced_unwind&) {
        throw;
      } catch (...) {
        job.how_.set_exception();
      }
      const auto mine = std::move(it);
      mine->end();
    }
    void refuse(std::error_code because, std::string_view) noexcept { why = because; }
  };

  void call(const stop_token& stop) {
    if constexpr (std::is_void_v<value>) {
      call_task(*fn_, stop);
      how_.set_value();
    } else {
      how_.set_value(call_task(*fn_, stop));
    }
  }
  void end() noexcept {
    fn_.reset(); // what it holds is gone when the result is there
    come_back();
  }
  /// What the pool refuses has come back by then, like what it discards; here it gets its reason.
  void post() override {
    run work{std::static_pointer_cast<thread_job_of>(shared_from_this())};
    try {
      std::error_code refused;
      if (lane_ == pool_lane::reserve)
        static_cast<void>(pool_.submit_final(label_, std::move(work)));
      else if (!pool_.try_post(label_, std::move(work), refused))
        throw std::system_error{refused, "to_thread"};
    } catch (...) {
      // Only what was handed over was moved from.
      if (std::exchange(work.it, nullptr) != nullptr) throw; // NOLINT(bugprone-use-after-move)
      how_.set_exception();
    }
  }
  std::exception_ptr failure() const noexcept override { return how_.failed() ? how_.error() : nullptr; }

  thread_pool& pool_;
  const pool_lane lane_;
  const inline_text<40> label_;
  std::optional<Fn> fn_;
  task_end<value> how_;
};

template <class Fn>
struct thread_awaiter {
  std::shared_ptr<thread_job_of<Fn>> job;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> frame) { return job->await_suspend(frame); }
  auto await_resume() { return job->await_resume(); }
};

template <class Fn>
auto on_thread(thread_pool& pool, pool_lane lane, std::string_view label, Fn&& fn, when_cancelled policy) {
  using held = std::decay_t<Fn>;
  return thread_awaiter<held>{
      std::make_shared<thread_job_of<held>>(pool, lane, label, policy, held(std::forward<Fn>(fn)))};
}

} // namespace detail

/// Runs `fn` on a thread of `pool`, and gives what it returns or throws; the loop goes on meanwhile.
///
///     const auto rules = co_await lastcall::to_thread(pool, "compile", [&] { return compile(text); });
///
/// `fn` may take a stop token, which fires when the coroutine is cancelled or the pool is dropped. A
/// cancellation that comes before it was handed over runs nothing.
///
/// Errors: std::system_error with executor_errc: `full`, `closed`, …, `dropped` where the pool discards it.
/// The
///   error of a function that was abandoned goes to the loop's exception handler.
/// Lifetime: an abandoned `fn` runs on; what it refers to must live as long as it takes. What it holds is
///   destroyed on the thread.
template <detail::runs_as_task Fn>
[[nodiscard]] auto to_thread(thread_pool& pool, std::string_view label, Fn&& fn,
                             when_cancelled policy = when_cancelled::wait) {
  return detail::on_thread(pool, detail::pool_lane::common, label, std::forward<Fn>(fn), policy);
}
template <detail::runs_as_task Fn>
[[nodiscard]] auto to_thread(thread_pool& pool, Fn&& fn, when_cancelled policy = when_cancelled::wait) {
  return to_thread(pool, {}, std::forward<Fn>(fn), policy);
}

/// The same on the pool's reserve lane: for what a stop needs, when every thread of the pool is blocked for
/// ever (`thread_pool::submit_final`).
template <detail::runs_as_task Fn>
[[nodiscard]] auto to_thread_final(thread_pool& pool, std::string_view label, Fn&& fn,
                                   when_cancelled policy = when_cancelled::wait) {
  return detail::on_thread(pool, detail::pool_lane::reserve, label, std::forward<Fn>(fn), policy);
}

} // namespace lastcall
