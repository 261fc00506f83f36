// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Calls, and how they are left. Of the exceptions only those are taken that a script may have to do with;
// what unwinds a daemon at the end of its runtime (lastcall::runtime_ended) goes through, and no opcode runs
// on that thread any more.
#include "machine.hpp"

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/stream/buffered_writer.hpp>
#include <lastcall/wait/futex.hpp>

#include <string>
#include <utility>

namespace tiny {
namespace {

constexpr std::size_t most_frames = 1000;
constexpr int most_nested = 50; // each is some hundred bytes of the thread's own stack

thread_local constinit machine* running = nullptr;

} // namespace

machine::machine(world& of, role its)
    : world_{of},
      stack_{of.lend_stack()},
      role_{its},
      watcher_{its == role::main ? of.how().main : nullptr} {}

machine::~machine() {
  if (running == this) running = nullptr;
  if (!lastcall::the_big_lock().is_mine()) return;
  cut_to(0);
  world_.take_back(stack_);
}

machine* machine::here() noexcept { return running; }

void machine::run_script() {
  running = this;
  push(value{kind::function, 0});
  call(0);
  pop();
  bury();
}

void machine::prepare(thread& its, const value* callee_and_arguments, std::size_t count) {
  self_ = &its;
  push(value{its}); // stays, so that its end can be told
  for (std::size_t i = 0; i < count; ++i) push(callee_and_arguments[i]);
}

void machine::run_thread(const lastcall::stop_token& stop) {
  running = this;
  stop_ = stop;
  try {
    call(stack_.used - 2);
    pop();
    bury();
  } catch (const stopped&) {
    // As asked.
  } catch (const out_of_steps&) {
    say("a thread without an end");
  } catch (const std::exception& error) {
    say(error.what());
  }
  thread& its = stack_.values[0].as<thread>();
  its.over.store(1, std::memory_order_relaxed); // under the big lock, as all that scripts see
  lastcall::wait::futex_wake_all(its.over);
}

void machine::run_finalizer(object& its) {
  running = this;
  world_.counts().finalizers_owed.fetch_sub(1, std::memory_order_relaxed);
  const as_before shields{*this};
  if (whole()) set_shields(shields_ + 1);
  try {
    push(its.finalizer);
    push(value{its});
    call(1);
    pop();
  } catch (const lastcall::interrupted&) {
    world_.counts().finalizers_cut.fetch_add(1, std::memory_order_relaxed);
    say("ignored in a finalizer: interrupted");
  } catch (const stopped&) {
    say("ignored in a finalizer: stopped");
  } catch (const out_of_steps&) {
    say("ignored in a finalizer: it has no end");
  } catch (const std::exception& error) {
    say(std::string{"ignored in a finalizer: "} + error.what());
  }
}

// Until the frame is left that is number `floor`.
void machine::run(std::size_t floor) {
  for (;;) {
    std::exception_ptr raised;
    try {
      switch (world_.how().watch) {
      case watch::word: return loop<watch::word>(floor);
      case watch::counted: return loop<watch::counted>(floor);
      case watch::nothing: return loop<watch::nothing>(floor);
      }
    } catch (const lastcall::interrupted&) {
      raised = std::current_exception();
      if (!whole()) answered_.emplace();
    } catch (const stopped&) {
      raised = std::current_exception();
    } catch (const std::exception&) {
      raised = std::current_exception();
    }
    const bool handled = unwind(floor, raised);
    if (world_.has_dead()) bury();
    if (!handled) std::rethrow_exception(raised);
  }
}

bool machine::unwind(std::size_t floor, const std::exception_ptr& raised) {
  while (stack_.frames.size() > floor) {
    const frame in = stack_.frames.back();
    if (stack_.blocks.size() > in.blocks) {
      go_to_handler({raised});
      return true;
    }
    stack_.frames.pop_back();
    cut_to(in.base - 1); // the callee, too
  }
  return false;
}

// In one step: with the default layout there is no opcode between the body and its handler.
void machine::go_to_handler(in_flight with) {
  const block to = stack_.blocks.back();
  stack_.blocks.pop_back();
  cut_to(to.height);
  stack_.flights.resize(to.flights);
  stack_.flights.push_back(std::move(with));
  push(value{kind::outcome, 0});
  set_shields(to.shields + (whole() ? 1 : 0));
  stack_.frames.back().next = to.handler;
}

/// What lies on the stack, a callee and its arguments, becomes its result.
void machine::call(std::size_t arguments) {
  const std::size_t floor = stack_.frames.size();
  if (nesting_ == most_nested)
    fail("calls that wait for each other, more than " + std::to_string(most_nested));
  if (!begin_call(arguments)) return;
  struct one_deeper {
    explicit one_deeper(int& of) : depth{of} { ++depth; }
    ~one_deeper() { --depth; }
    one_deeper(const one_deeper&) = delete;
    one_deeper& operator=(const one_deeper&) = delete;
    int& depth;
  } const deeper{nesting_};
  const as_before shields{*this}; // what is raised in a `finally`, and handled by nobody, leaves one up
  run(floor);
}

/// False: it is done already.
bool machine::begin_call(std::size_t arguments) {
  value* callee = &top(arguments);
  if (callee->kind() == kind::method) {
    auto& its = callee->as<method>();
    if (its.function.kind() == kind::nil) return word(arguments), false;
    need(1); // the object before the dot becomes the first argument
    callee = &top(arguments);
    push(value{});
    for (std::size_t i = 0; i < arguments; ++i) top(i) = std::move(top(i + 1));
    top(arguments) = its.self;
    top(arguments + 1) = value{its.function};
    ++arguments;
    callee = &top(arguments);
  }
  if (callee->kind() != kind::function) fail("this cannot be called");
  const function& fn = world_.code().functions[static_cast<std::size_t>(callee->number())];
  if (arguments != fn.parameters)
    fail(fn.name + " takes " + std::to_string(fn.parameters) + " arguments, not " +
         std::to_string(arguments));
  if (stack_.frames.size() == most_frames)
    fail("calls inside of each other, more than " + std::to_string(most_frames));
  need(fn.room);
  stack_.frames.push_back({&fn, 0, stack_.used - arguments, stack_.blocks.size()});
  for (std::size_t i = arguments; i < fn.locals; ++i) push(value{});
  return true;
}

/// True: the frame number `floor` was left.
bool machine::leave_frame(std::size_t floor) {
  const frame from = stack_.frames.back();
  if (stack_.blocks.size() > from.blocks) {
    value result = std::move(top()); // nothing waits here
    go_to_handler({nullptr, std::move(result)});
    return false;
  }
  stack_.values[from.base - 1] = std::move(top());
  cut_to(from.base);
  stack_.frames.pop_back();
  return stack_.frames.size() == floor;
}

/// A word of the machine's own. The method, and with it the object, stays upon the stack meanwhile.
void machine::word(std::size_t arguments) {
  if (arguments != 0) fail("this takes no arguments");
  const auto& its = top().as<method>();
  switch (its.name) {
  case name_acquire: acquire(its.self.as<lock>()); break;
  case name_release: release(its.self.as<lock>()); break;
  default: join(its.self.as<thread>()); break;
  }
  top() = value{};
}

void machine::bury() {
  if (burying_) return; // whoever does it goes on until nobody is left
  burying_ = true;
  while (cell* it = world_.next_dead()) {
    if (it->kind() == kind::object && static_cast<object*>(it)->last) {
      world_.revive(*it);
      need(1);
      push(value{*it}); // it lives on while its finalizer runs, and longer if that wants it to
      (*static_cast<object*>(it)->last)();
      static_cast<object*>(it)->last.reset();
      pop();
    } else {
      world_.destroy(it);
    }
  }
  burying_ = false;
}

void machine::cut_to(std::size_t height) noexcept {
  while (stack_.used > height) pop();
}

void machine::need(std::size_t room) {
  constexpr std::size_t spare = 4; // for what the machine itself calls
  if (stack_.used + room + spare > stack_.values.size())
    stack_.values.resize(2 * stack_.values.size() + room + spare);
}

void machine::push(value what) {
  if (stack_.used == stack_.values.size()) need(1);
  stack_.values[stack_.used++] = std::move(what);
}

void machine::set_shields(int count) noexcept {
  shields_ = count;
  if (count > 0 && !up_)
    up_.emplace();
  else if (count == 0)
    up_.reset();
}

void machine::fail(const std::string& what) const {
  const frame* in = stack_.frames.empty() ? nullptr : &stack_.frames.back();
  const position at = in != nullptr && in->next > 0 ? in->of->at[in->next - 1] : position{};
  throw problem{at, what};
}

void machine::say(const std::string& what) const noexcept {
  std::error_code none; // there is nobody else to tell
  if (world_.how().err != nullptr) world_.how().err->write(world_.code().file + ':' + what + '\n', none);
}

} // namespace tiny
