// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "program.hpp"

namespace tiny {
namespace {

std::string text_of(const program& of, const constant& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
  if (const auto* fn = std::get_if<function_number>(&value)) return "fn " + of.functions[fn->value].name;
  return "nil";
}

std::string operand(const program& of, const instruction& it) {
  const auto at = static_cast<std::size_t>(it.a);
  switch (it.what) {
  case opcode::constant: return text_of(of, of.constants[at]);
  case opcode::load_global:
  case opcode::store_global: return of.globals[at];
  case opcode::load_attribute:
  case opcode::store_attribute: return of.names[at];
  case opcode::make: return it.a == 0 ? "lock" : "object";
  case opcode::spawn: return std::to_string(it.a) + (it.b != 0 ? " daemon" : "");
  case opcode::enter_try: return std::to_string(it.a) + ' ' + std::to_string(it.b);
  case opcode::load:
  case opcode::store:
  case opcode::jump:
  case opcode::jump_if_false:
  case opcode::call:
  case opcode::print:
  case opcode::setup_finally:
  case opcode::setup_with: return std::to_string(it.a);
  default: return {};
  }
}

} // namespace

std::string_view name_of(opcode what) noexcept {
  switch (what) {
  case opcode::constant: return "CONST";
  case opcode::load: return "LOAD";
  case opcode::store: return "STORE";
  case opcode::load_global: return "LOAD_GLOBAL";
  case opcode::store_global: return "STORE_GLOBAL";
  case opcode::load_attribute: return "LOAD_ATTR";
  case opcode::store_attribute: return "STORE_ATTR";
  case opcode::pop: return "POP";
  case opcode::add: return "ADD";
  case opcode::subtract: return "SUBTRACT";
  case opcode::multiply: return "MULTIPLY";
  case opcode::divide: return "DIVIDE";
  case opcode::less: return "LESS";
  case opcode::equal: return "EQUAL";
  case opcode::invert: return "NOT";
  case opcode::jump: return "JUMP";
  case opcode::jump_if_false: return "JUMP_IF_FALSE";
  case opcode::call: return "CALL";
  case opcode::give_back: return "RETURN";
  case opcode::print: return "PRINT";
  case opcode::input: return "INPUT";
  case opcode::sleep: return "SLEEP";
  case opcode::make: return "NEW";
  case opcode::spawn: return "SPAWN";
  case opcode::raise: return "RAISE";
  case opcode::setup_finally: return "SETUP_FINALLY";
  case opcode::enter_try: return "ENTER_TRY";
  case opcode::setup_with: return "SETUP_WITH";
  case opcode::enter_finally: return "ENTER_FINALLY";
  case opcode::pop_block: return "POP_BLOCK";
  case opcode::exit_with: return "EXIT_WITH";
  case opcode::end_finally: return "END_FINALLY";
  }
  return "?";
}

std::string listing(const program& of) {
  std::string text;
  for (const auto& fn : of.functions) {
    text += fn.name + ":\n";
    for (std::size_t i = 0; i < fn.code.size(); ++i) {
      std::string line = "  " + std::to_string(i);
      line.resize(7, ' ');
      line += name_of(fn.code[i].what);
      if (const std::string more = operand(of, fn.code[i]); !more.empty()) {
        line.resize(23, ' ');
        line += more;
      }
      text += line + '\n';
    }
  }
  return text;
}

} // namespace tiny
