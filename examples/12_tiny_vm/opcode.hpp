// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string_view>

namespace tiny {

/// What the machine can do in one step. Before each of them, and nowhere else, a request may be delivered: so
/// what belongs together has to be one of these. Behind each: its numbers `a` and `b`, and what it does to
/// the stack.
enum class opcode : std::uint8_t {
  constant,        ///< a: which            → value
  load,            ///< a: local            → value
  store,           ///< a: local            value →
  load_global,     ///< a: global           → value
  store_global,    ///< a: global           value →
  load_attribute,  ///< a: name             object → value
  store_attribute, ///< a: name             value object →
  pop,             ///<                     value →
  add,             ///<                     left right → sum, also of texts
  subtract,        ///<                     left right → difference
  multiply,        ///<                     left right → product
  divide,          ///<                     left right → quotient
  less,            ///<                     left right → 1 or 0
  equal,           ///<                     left right → 1 or 0
  invert,          ///<                     value → 1 or 0
  jump,            ///< a: where to
  jump_if_false,   ///< a: where to         value →
  call,            ///< a: arguments        callee arguments → result
  give_back,       ///<                     result →; what is entered is left first
  print,           ///< a: how many         values →
  input,           ///<                     → a line, or nil at the end
  sleep,           ///<                     milliseconds →
  make,            ///< a: 0 lock, 1 object; a finalizer → object
  spawn,           ///< a: arguments, b: 1 for a daemon; callee arguments → thread
  raise,           ///<                     value →
  setup_finally,   ///< a: handler          from here on it is gone to, whatever happens
  enter_try,       ///< a: handler, b: arguments; callee arguments →; calls and sets up, one step
  setup_with,      ///< a: handler          manager → manager; enters it and sets up, one step
  enter_finally,   ///< takes the handler down and puts a shield up, one step; → how it came to the handler
  pop_block,       ///< takes the handler down, and nothing else: the layout of 2017
  exit_with,       ///< manager how → how;  leaves the manager
  end_finally      ///< how →;              takes the shield down and goes on as it came
};

/// As listings name it: "SETUP_WITH".
std::string_view name_of(opcode what) noexcept;

struct instruction {
  opcode what = opcode::pop;
  std::uint8_t b = 0;
  std::int32_t a = 0;
};

} // namespace tiny
