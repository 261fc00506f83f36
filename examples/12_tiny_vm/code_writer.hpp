// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "program.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tiny {

/// Puts instructions one behind the other, and keeps count of how much room of the stack a function needs.
class code_writer {
public:
  explicit code_writer(tiny::layout how);

  /// From now on instructions go into a new function, until `end_function`. Its number.
  std::size_t begin_function(std::string name);
  void end_function();
  bool in_function() const noexcept { return writing_ != 0; }

  /// Where it was put.
  std::size_t put(opcode what, position at, std::int32_t a = 0, std::uint8_t b = 0);
  /// Takes the last instruction away again and returns it.
  instruction take_back();
  opcode last() const noexcept;
  std::size_t here() const noexcept { return current().code.size(); }
  /// The jump, or block, at `from` leads here.
  void lead_here(std::size_t from);

  std::int32_t constant_of(std::int64_t number);
  std::int32_t constant_of(std::string_view text);
  std::int32_t constant_of(function_number fn);
  std::int32_t nil();
  std::int32_t attribute(std::string_view name) { return number_of(attributes_, program_.names, name); }
  std::int32_t global(std::string_view name) { return number_of(globals_, program_.globals, name); }
  /// A local of the function, made where there is none yet.
  std::int32_t local(std::string_view name);
  bool is_local(std::string_view name) const;
  void parameter(std::string_view name);

  program finish();

private:
  using numbers = std::map<std::string, std::int32_t, std::less<>>;
  static std::int32_t number_of(numbers& known, std::vector<std::string>& list, std::string_view name);
  std::int32_t constant_of(std::string key, constant value);
  function& current() noexcept { return program_.functions[writing_]; }
  const function& current() const noexcept { return program_.functions[writing_]; }

  program program_;
  numbers constants_, attributes_, globals_, locals_;
  std::size_t writing_ = 0;
  std::int32_t depth_ = 0, depth_outside_ = 0, deepest_ = 0, deepest_outside_ = 0;
};

} // namespace tiny
