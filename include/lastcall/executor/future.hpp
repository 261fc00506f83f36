// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/errors.hpp>
#include <lastcall/executor/task.hpp>
#include <lastcall/runtime/errors.hpp>
#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include <cxxabi.h>

namespace lastcall {

namespace detail {

/// What a task and its future share but the value.
///
/// word_: pending → (a wait) awaited → ready; pending → ready. What was written before `ready` is seen by
/// whoever sees it. Two references, one of each side; the last one to go destroys it.
class future_state {
public:
  future_state() noexcept;
  future_state(const future_state&) = delete;
  future_state& operator=(const future_state&) = delete;

  bool ready() const noexcept {
    return word_.load(std::memory_order_acquire) == is_ready; // pairs with the release in publish
  }
  bool wait(deadline until);
  bool wait(deadline until, std::error_code& error) noexcept;
  bool wait(deadline until, const std::stop_token& stop);

  void publish() noexcept;
  void fail(std::error_code why, std::string_view label) noexcept;
  void fail(std::exception_ptr why) noexcept { failure_ = std::move(why); }
  /// Throws what the task has failed with, if it has.
  void rethrow();
  void release() noexcept {
    // Acquire and release pair with each other: the last one sees what the other did.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

protected:
  virtual ~future_state() = default;

private:
  static constexpr std::uint32_t pending = 0, awaited = 1, is_ready = 2;
  template <class Wait>
  bool wait_with(deadline until, Wait wait);
  void refuse_in_child() const;

  std::atomic<std::uint32_t> word_{pending};
  std::atomic<std::uint32_t> references_{2};
  std::uint64_t process_; ///< in a forked child nobody will make it ready
  std::exception_ptr failure_{};
  std::error_code refused_{};
  inline_text<40> label_{};
};

template <class T>
struct valued_state : future_state {
  std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> value{};
};

/// The task's side: the callable and the state in one piece of memory.
template <class Fn, class T>
struct submitted_state final : valued_state<T> {
  explicit submitted_state(Fn&& from) : fn{std::move(from)} {}
  std::optional<Fn> fn;
};

/// What is posted for `submit`.
template <class Fn, class T>
class submitted {
public:
  explicit submitted(submitted_state<Fn, T>* state) noexcept : state_{state} {}
  submitted(submitted&& from) noexcept : state_{std::exchange(from.state_, nullptr)} {}
  submitted& operator=(submitted&&) = delete;
  ~submitted() {
    if (state_ != nullptr) refuse(executor_errc::unfinished, {});
  }

  // UndefinedBehaviorSanitizer takes exception to the unwinding of pthread_exit, which refers to no object.
  __attribute__((no_sanitize("undefined"))) void operator()(const stop_token& stop) {
    submitted_state<Fn, T>& it = *state_;
    try {
      if constexpr (std::is_void_v<T>)
        call_task(*it.fn, stop);
      else
        it.value.emplace(call_task(*it.fn, stop));
    } catch (const runtime_ended&) { // the thread itself ends here, as it does in the next
      throw;
    } catch (const abi::__forced_unwind&) {
      throw;
    } catch (...) {
      it.fail(std::current_exception());
    }
    finish();
  }
  void refuse(std::error_code why, std::string_view label) noexcept {
    state_->fail(why, label);
    finish();
  }

private:
  void finish() noexcept {
    submitted_state<Fn, T>* it = std::exchange(state_, nullptr);
    it->fn.reset(); // what it holds is gone when the result is there
    it->publish();
    it->release();
  }
  submitted_state<Fn, T>* state_;
};

} // namespace detail

/// The result of a submitted task.
///
/// It always becomes ready: with the value, with what the task threw, or with a std::system_error that names
/// the task and says why it did not run (executor_errc). Unlike std::future it is waited for as all of the
/// library waits: with a deadline, and ended by a request on the owner of a signal_scope.
///
///     auto answer = pool.submit("ask", [] { return ask(); });
///     if (!answer.wait_until(lastcall::deadline::after(2s))) return too_slow();
///     use(answer.take());
///
/// Threads: one at a time, any. Letting go of it waits for nothing and leaves the task alone.
template <class T>
class future {
public:
  future() noexcept = default;
  explicit future(detail::valued_state<T>* state) noexcept : state_{state} {}
  future(future&& from) noexcept = default;
  future& operator=(future&& from) noexcept = default;

  /// Whether there is something to wait for or to take.
  bool valid() const noexcept { return state_ != nullptr; }
  bool ready() const noexcept { return state_ != nullptr && state_->ready(); }

  /// Waits until it is ready; false when the deadline passes before. A checkpoint: throws `interrupted`. The
  /// second form reports that as stop_errc::interrupted, the third ends when the token fires. In a forked
  /// child the error is executor_errc::forked. It must be valid.
  bool wait_until(deadline until) { return state_->wait(until); }
  bool wait_until(deadline until, std::error_code& error) noexcept { return state_->wait(until, error); }
  bool wait_until(deadline until, const std::stop_token& stop) { return state_->wait(until, stop); }

  /// Waits, without limit, and takes the result; it is not valid any more. Throws what the task threw, and
  /// what waiting throws: then it still is.
  T take() {
    state_->wait(deadline::never());
    const auto gone = std::move(state_);
    gone->rethrow();
    if constexpr (!std::is_void_v<T>) return std::move(*gone->value);
  }

private:
  struct let_go {
    void operator()(detail::valued_state<T>* state) const noexcept { state->release(); }
  };
  std::unique_ptr<detail::valued_state<T>, let_go> state_;
};

} // namespace lastcall
