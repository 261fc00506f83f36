// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "opcode.hpp"
#include "problem.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tiny {

/// How `try` and `with` are compiled.
enum class layout : std::uint8_t {
  whole, ///< what belongs together is one step
  y2017  ///< as CPython did in 2017, with the gaps of that time
};

struct function {
  std::string name;
  std::size_t parameters = 0;
  std::size_t locals = 0; ///< the parameters among them
  std::size_t room = 0;   ///< what it needs of the stack, locals and values together
  std::vector<instruction> code;
  std::vector<position> at; ///< of each instruction
};

/// A constant is nil, a number, a text, or the number of a function.
struct function_number {
  std::size_t value;
};
using constant = std::variant<std::monostate, std::int64_t, std::string, function_number>;

/// Names that the machine itself looks for; their numbers are their places.
enum known_name : std::int32_t { name_acquire, name_release, name_join, name_enter, name_exit, known_names };

/// A compiled script. Nobody changes it while it runs.
struct program {
  std::string file = "script"; ///< for messages
  tiny::layout layout = layout::whole;
  std::vector<function> functions; ///< 0 is the script itself
  std::vector<constant> constants;
  std::vector<std::string> names; ///< of attributes
  std::vector<std::string> globals;
};

/// One line for each instruction.
std::string listing(const program& of);

} // namespace tiny
