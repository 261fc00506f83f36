// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Entering and leaving what is protected. With the default layout each of these is one step: nothing can come
// between the acquisition and the handler, nor between the end of the body and the release. It is what
// lastcall::with does for C++, with a script's functions in the place of lock() and unlock().
//
// A lock of the machine's is taken by a wait that either has taken it or was ended by a request, never both;
// so no shield is needed, and Ctrl-C ends a wait for a lock at once. A lock that is written in the script
// runs opcodes of its own, in the middle of which it is half taken: these run under a shield.
#include "machine.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include <utility>

namespace tiny {

// The rule of 2003: not where the next opcode is SETUP_FINALLY.
void machine::before(const instruction& now) {
  if (watcher_ != nullptr) {
    watcher& it = *watcher_;
    if (++it.seen == it.at && !it.made) {
      it.made = true;
      it.after = last_, it.before = now.what;
      const frame& in = stack_.frames.back();
      it.where = in.of->at[in.next];
      it.request();
    }
    last_ = now.what;
  }
  if (++steps_ > world_.how().most) throw out_of_steps{};
  if (whole() || now.what != opcode::setup_finally) lastcall::checkpoint();
}

void machine::enter_with(std::size_t handler) {
  stack_.blocks.reserve(stack_.blocks.size() + 1); // from the acquisition on nothing can fail
  const int shields = shields_;
  const as_before shield{*this};
  if (top().kind() == kind::lock) {
    acquire(top().as<lock>());
  } else {
    if (whole()) set_shields(shields_ + 1);
    load_attribute_of(top(), name_enter);
    call(0);
    pop();
  }
  stack_.blocks.push_back({handler, stack_.used, stack_.flights.size(), shields});
}

// On the stack: what was entered, and how this was come to.
void machine::exit_with() {
  value& manager = top(1);
  if (manager.kind() == kind::lock) {
    release(manager.as<lock>());
  } else {
    load_attribute_of(manager, name_exit);
    call(0);
    pop();
  }
  top(1) = std::move(top());
  pop();
}

void machine::enter_try(std::size_t handler, std::size_t arguments) {
  stack_.blocks.reserve(stack_.blocks.size() + 1);
  const int shields = shields_;
  const as_before shield{*this};
  const value& callee = top(arguments);
  const bool script = callee.kind() != kind::method || callee.as<method>().function.kind() != kind::nil;
  if (whole() && script) set_shields(shields_ + 1);
  call(arguments);
  pop();
  stack_.blocks.push_back({handler, stack_.used, stack_.flights.size(), shields});
}

void machine::enter_finally() {
  const int shields = stack_.blocks.back().shields;
  stack_.blocks.pop_back();
  push(value{});
  set_shields(shields + 1);
}

/// True: the frame number `floor` was left.
bool machine::end_finally(std::size_t floor) {
  const bool in_flight_on = top().kind() == kind::outcome;
  pop();
  if (whole()) set_shields(shields_ - 1);
  if (!in_flight_on) return false;
  in_flight on = std::move(stack_.flights.back());
  stack_.flights.pop_back();
  if (on.raised) std::rethrow_exception(on.raised);
  push(std::move(on.given_back));
  return leave_frame(floor);
}

} // namespace tiny
