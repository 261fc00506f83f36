// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/stop.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stop_token>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

/// A task on its way through a pool: a callable whose type is forgotten, with its label.
namespace lastcall::detail {

template <class Fn>
concept takes_token = std::invocable<Fn&, stop_token> || std::invocable<Fn&, std::stop_token>;
template <class Fn>
concept runs_as_task = takes_token<std::decay_t<Fn>> || std::invocable < std::decay_t<Fn>
& > ;

template <runs_as_task Fn>
decltype(auto) call_task(Fn& fn, const stop_token& stop) {
  if constexpr (std::invocable<Fn&, stop_token>)
    return std::invoke(fn, stop);
  else if constexpr (std::invocable<Fn&, std::stop_token>)
    return std::invoke(fn, std::stop_token{stop});
  else
    return std::invoke(fn);
}

/// `fn` with a token of its own beside the one of its thread: whichever fires first stops it.
template <takes_token Fn>
struct with_token {
  Fn fn;
  stop_token own;
  decltype(auto) operator()(const stop_token& of_thread) {
    if (!own.stop_possible()) return call_task(fn, of_thread);
    stop_source both;
    const stop_link to_thread{both, of_thread}, to_own{both, own};
    return call_task(fn, both.token());
  }
};

/// One task. It lives in a slot of fixed size that is used again and again, so that posting allocates nothing
/// but what is too large for it. What every task needs is in front, in one line of the processor's cache.
struct task {
  struct operations {
    void (*run)(task&, const stop_token&);               ///< the callable; may throw
    void (*refuse)(task&, std::error_code why) noexcept; ///< it will not run, or did not end
    void (*destroy)(task&) noexcept;                     ///< the callable, not the task
  };
  static constexpr std::size_t room = 56, longest_label = 40;

  void label(std::string_view text) noexcept {
    label_size = static_cast<std::uint8_t>(text.copy(label_bytes, longest_label));
  }
  std::string_view label() const noexcept { return {label_bytes, label_size}; }

  task* next = nullptr;
  task* next_string = nullptr; ///< where many are queued, of the first of each string: see task_queue
  const operations* what = nullptr;
  std::uint32_t in_string = 0;
  std::uint8_t label_size = 0;
  alignas(16) std::byte callable[room];
  char label_bytes[longest_label]; ///< what does not fit is cut off
};

/// Memory for one task. Throws std::bad_alloc.
task* take_slot();
void give_slot(task* slot) noexcept;

struct task_deleter {
  void operator()(task* one) const noexcept {
    one->what->destroy(*one);
    give_slot(one);
  }
};
using task_ptr = std::unique_ptr<task, task_deleter>;

template <class Fn>
struct task_of {
  static constexpr std::size_t size = sizeof(Fn), alignment = alignof(Fn);
  static constexpr bool fits = size <= task::room && alignment <= 16;

  static Fn& in(task& one) noexcept {
    if constexpr (fits)
      return *std::launder(reinterpret_cast<Fn*>(&one.callable));
    else
      return **std::launder(reinterpret_cast<Fn**>(&one.callable));
  }
  static void run(task& one, const stop_token& stop) { static_cast<void>(call_task(in(one), stop)); }
  static void refuse(task& one, std::error_code why) noexcept {
    if constexpr (requires { in(one).refuse(why, one.label()); }) in(one).refuse(why, one.label());
  }
  static void destroy(task& one) noexcept {
    if constexpr (fits)
      in(one).~Fn();
    else
      delete &in(one);
  }
  static constexpr task::operations operations{&run, &refuse, &destroy};
};

template <class Fn>
task_ptr make_task(std::string_view label, Fn&& from) {
  using held = std::decay_t<Fn>;
  struct slot_guard {
    task* slot = take_slot();
    ~slot_guard() {
      if (slot != nullptr) give_slot(slot);
    }
  } guard;
  task* one = guard.slot;
  if constexpr (task_of<held>::fits)
    ::new (static_cast<void*>(&one->callable)) held(std::forward<Fn>(from));
  else
    ::new (static_cast<void*>(&one->callable)) held* {new held(std::forward<Fn>(from))};
  one->what = &task_of<held>::operations;
  one->label(label);
  guard.slot = nullptr;
  return task_ptr{one};
}

} // namespace lastcall::detail
