// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "code_writer.hpp"

#include <algorithm>
#include <utility>

namespace tiny {
namespace {

// By how much the stack grows.
std::int32_t growth(const instruction& it) {
  switch (it.what) {
  case opcode::constant:
  case opcode::load:
  case opcode::load_global:
  case opcode::input:
  case opcode::enter_finally: return 1;
  case opcode::load_attribute:
  case opcode::invert:
  case opcode::jump:
  case opcode::setup_finally:
  case opcode::setup_with:
  case opcode::pop_block: return 0;
  case opcode::store_attribute: return -2;
  case opcode::call:
  case opcode::print:
  case opcode::spawn: return -it.a;
  case opcode::make: return it.a == 0 ? 1 : 0;
  case opcode::enter_try: return -std::int32_t{it.b} - 1;
  default: return -1;
  }
}

} // namespace

code_writer::code_writer(tiny::layout how) {
  program_.layout = how;
  program_.functions.push_back({.name = "script", .code = {}, .at = {}});
  for (const auto* name : {"acquire", "release", "join", "enter", "exit"}) attribute(name);
}

std::size_t code_writer::begin_function(std::string name) {
  program_.functions.push_back({.name = std::move(name), .code = {}, .at = {}});
  writing_ = program_.functions.size() - 1;
  locals_.clear();
  depth_outside_ = std::exchange(depth_, 0);
  deepest_outside_ = std::exchange(deepest_, 0);
  return writing_;
}

void code_writer::end_function() {
  current().locals = locals_.size();
  current().room = locals_.size() + static_cast<std::size_t>(deepest_);
  writing_ = 0;
  locals_.clear();
  depth_ = depth_outside_;
  deepest_ = deepest_outside_;
}

std::size_t code_writer::put(opcode what, position at, std::int32_t a, std::uint8_t b) {
  const instruction it{what, b, a};
  depth_ += growth(it);
  deepest_ = std::max(deepest_, depth_);
  current().code.push_back(it);
  current().at.push_back(at);
  return here() - 1;
}

instruction code_writer::take_back() {
  const instruction it = current().code.back();
  depth_ -= growth(it);
  current().code.pop_back();
  current().at.pop_back();
  return it;
}

opcode code_writer::last() const noexcept { return current().code.back().what; }

void code_writer::lead_here(std::size_t from) { current().code[from].a = static_cast<std::int32_t>(here()); }

std::int32_t code_writer::constant_of(std::string key, constant value) {
  const auto [at, is_new] =
      constants_.try_emplace(std::move(key), static_cast<std::int32_t>(program_.constants.size()));
  if (is_new) program_.constants.push_back(std::move(value));
  return at->second;
}

std::int32_t code_writer::constant_of(std::int64_t number) {
  return constant_of('n' + std::to_string(number), number);
}
std::int32_t code_writer::constant_of(std::string_view text) {
  return constant_of('t' + std::string{text}, std::string{text});
}
std::int32_t code_writer::constant_of(function_number fn) {
  return constant_of('f' + std::to_string(fn.value), fn);
}
std::int32_t code_writer::nil() { return constant_of("nil", std::monostate{}); }

std::int32_t code_writer::number_of(numbers& known, std::vector<std::string>& list, std::string_view name) {
  const auto [at, is_new] = known.try_emplace(std::string{name}, static_cast<std::int32_t>(list.size()));
  if (is_new) list.emplace_back(name);
  return at->second;
}

std::int32_t code_writer::local(std::string_view name) {
  return locals_.try_emplace(std::string{name}, static_cast<std::int32_t>(locals_.size())).first->second;
}
bool code_writer::is_local(std::string_view name) const { return locals_.contains(name); }
void code_writer::parameter(std::string_view name) {
  local(name);
  current().parameters = locals_.size();
}

program code_writer::finish() {
  program_.functions[0].room = static_cast<std::size_t>(deepest_);
  return std::move(program_);
}

} // namespace tiny
