// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "cells.hpp"
#include "script_stack.hpp"
#include "settings.hpp"
#include "world.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/scope/stop.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace tiny {

/// Whose opcodes these are.
enum class role : std::uint8_t {
  main,   ///< the owner of the signal_scope: gets requests
  joined, ///< waited for at the end: is asked to stop by its token
  daemon, ///< nobody waits for it: unwound by lastcall::runtime_ended wherever it touches the library
  last    ///< only finalizers, at the end of the runtime
};

/// What a joined thread is left by when the runtime asks it to stop.
struct stopped {};

/// Runs opcodes, for one thread.
///
/// A request comes before an opcode, as a C++ exception out of lastcall::checkpoint(), or out of a call of
/// the library in which the opcode waits. The machine turns it into a way: to the innermost handler of the
/// script, and on from there when that is over. Nobody acknowledges it: so a script cannot swallow a request,
/// and a `finally` runs under a shield, where the next opcode would otherwise deliver it again.
///
/// With the layout of 2017 nothing is shielded, and the first delivery is the only one, as in CPython, which
/// forgets the signal when it has raised KeyboardInterrupt.
///
/// Threads: all members need the big lock. An opcode that may wait, or call, leaves what it works on upon
///   the script's stack and not in C++ variables until that is over: a daemon may be unwound out of it
///   without the lock, and must not count references then.
class machine {
public:
  machine(world& of, role its);
  /// Gives the stack back; leaves it behind where the thread is unwound without the big lock.
  ~machine();
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

  /// The one that runs on the calling thread; null: none.
  static machine* here() noexcept;

  /// Runs the script from its beginning. Throws what nothing in it handles: `problem`,
  /// lastcall::interrupted.
  void run_script();
  /// Runs what `prepare` has been given, as a thread.
  void run_thread(const lastcall::stop_token& stop);
  void prepare(thread& its, const value* callee_and_arguments, std::size_t count);
  /// Calls an object's finalizer. What it raises is said and goes no further.
  void run_finalizer(object& its);
  /// Waits for the joined threads of the script.
  void join_all();
  /// Whether a request was delivered that the script did not see through to its end (2017 only).
  bool answered() const noexcept { return answered_.has_value(); }

private:
  class as_before;

  // loop.cpp
  template <watch how>
  void loop(std::size_t floor);

  // blocks.cpp
  void before(const instruction& now);
  void enter_with(std::size_t handler);
  void exit_with();
  void enter_try(std::size_t handler, std::size_t arguments);
  void enter_finally();
  bool end_finally(std::size_t floor);

  // calls.cpp
  void run(std::size_t floor);
  bool unwind(std::size_t floor, const std::exception_ptr& raised);
  void go_to_handler(in_flight with);
  void call(std::size_t arguments);
  bool begin_call(std::size_t arguments);
  bool leave_frame(std::size_t floor);
  void word(std::size_t arguments);
  void bury();

  // operations.cpp: what an opcode does that takes more than a line
  void arithmetic(opcode what);
  void compare(opcode what);
  void load_attribute(std::int32_t name);
  void load_attribute_of(const value& whose, std::int32_t name);
  void store_attribute(std::int32_t name);
  void make(std::int32_t what);
  void print(std::size_t count);
  std::string text_of(const value& what) const;

  // waits.cpp: what gives the big lock up
  void input();
  void sleep();
  void acquire(lock& it);
  void release(lock& it);
  void join(thread& it);
  void wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t value);
  void spawn(std::size_t arguments, bool daemon);
  void stop_point() const;
  void request_now();

  // the stack
  value& top(std::size_t below = 0) noexcept { return stack_.values[stack_.used - 1 - below]; }
  void push(value what);
  void pop() noexcept { top().clear(), --stack_.used; }
  void cut_to(std::size_t height) noexcept;
  void need(std::size_t room);
  [[noreturn]] void fail(const std::string& what) const;
  void say(const std::string& what) const noexcept;
  void set_shields(int count) noexcept;
  bool whole() const noexcept { return world_.code().layout == layout::whole; }

  world& world_;
  script_stack& stack_;
  const role role_;
  lastcall::stop_token stop_;
  watcher* const watcher_;       ///< of the main thread, where there is one
  std::size_t steps_ = 0;        ///< opcodes, where they are counted
  opcode last_{};                ///< for the watcher
  const thread* self_ = nullptr; ///< of a thread that the script has started
  int shields_ = 0;              ///< how many `finally` and the like it is in
  std::optional<lastcall::shield> up_;
  std::optional<lastcall::shield> answered_;
  int nesting_ = 0; ///< of calls that C++ waits for
  bool burying_ = false;
};

/// Puts the shields back to where they were: the end of a stretch that is left by any way.
class machine::as_before {
public:
  explicit as_before(machine& it) noexcept : it_{it}, shields_{it.shields_} {}
  ~as_before() { it_.set_shields(shields_); }
  as_before(const as_before&) = delete;
  as_before& operator=(const as_before&) = delete;

private:
  machine& it_;
  const int shields_;
};

} // namespace tiny
