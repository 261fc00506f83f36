// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "machine.hpp"

#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <limits>
#include <mutex>
#include <utility>

namespace tiny {
namespace {

constexpr std::size_t longest_text = 65536;

bool divide(std::int64_t left, std::int64_t right, std::int64_t& result) {
  if (left == std::numeric_limits<std::int64_t>::min() && right == -1) return true;
  result = left / right;
  return false;
}

void finalize(world& of, object& it) {
  if (machine* here = machine::here()) return here->run_finalizer(it);
  const std::unique_lock turn{lastcall::the_big_lock()}; // the end of the runtime
  machine alone{of, role::last};
  alone.run_finalizer(it);
}

} // namespace

void machine::arithmetic(opcode what) {
  value& left = top(1);
  value& right = top();
  if (what == opcode::add && left.kind() == kind::text) {
    std::string both = text_of(left) + text_of(right);
    if (both.size() > longest_text) fail("a text of more than " + std::to_string(longest_text) + " bytes");
    left = value{*new text{world_, std::move(both)}};
  } else {
    if (!left.is_number() || !right.is_number()) fail("there are no numbers on both sides");
    if (what == opcode::divide && right.number() == 0) fail("a division by zero");
    std::int64_t result = 0;
    bool too_large = false;
    switch (what) {
    case opcode::add: too_large = __builtin_add_overflow(left.number(), right.number(), &result); break;
    case opcode::subtract: too_large = __builtin_sub_overflow(left.number(), right.number(), &result); break;
    case opcode::multiply: too_large = __builtin_mul_overflow(left.number(), right.number(), &result); break;
    default: too_large = divide(left.number(), right.number(), result); break;
    }
    if (too_large) fail("the result is too large");
    left.number() = result;
  }
  pop();
}

void machine::compare(opcode what) {
  bool result = false;
  if (what == opcode::invert) {
    result = !top().holds();
  } else {
    const value& left = top(1);
    const value& right = top();
    const bool texts = left.kind() == kind::text && right.kind() == kind::text;
    if (what == opcode::equal)
      result = texts ? left.as<text>().letters == right.as<text>().letters : left.is_same(right);
    else if (texts)
      result = left.as<text>().letters < right.as<text>().letters;
    else if (left.is_number() && right.is_number())
      result = left.number() < right.number();
    else
      fail("these cannot be compared");
    pop();
  }
  top() = value{std::int64_t{result}};
}

void machine::load_attribute(std::int32_t name) {
  load_attribute_of(top(), name);
  top(1) = std::move(top());
  pop();
}

void machine::load_attribute_of(const value& whose, std::int32_t name) {
  const bool word = (whose.kind() == kind::lock && (name == name_acquire || name == name_release)) ||
                    (whose.kind() == kind::thread && name == name_join);
  const value* found = whose.kind() == kind::object ? whose.as<object>().find(name) : nullptr;
  if (found == nullptr && !word)
    fail("there is no '" + world_.code().names[static_cast<std::size_t>(name)] + "' here");
  if (word)
    push(value{*new method{world_, whose, value{}, name}});
  else if (found->kind() == kind::function)
    push(value{*new method{world_, whose, *found, name}});
  else
    push(*found);
}

void machine::store_attribute(std::int32_t name) {
  if (top(1).kind() != kind::object) fail("only objects have attributes of the script's");
  top(1).as<object>().set(name, top());
  pop();
  pop();
}

void machine::make(std::int32_t what) {
  if (what == 0) return push(value{*new lock{world_}});
  if (top().kind() != kind::nil && top().kind() != kind::function) fail("a finalizer is a function");
  auto* const made = new object{world_, top()};
  top() = value{*made};
  if (made->finalizer.kind() == kind::nil) return;
  made->last.emplace([&of = world_, made] { finalize(of, *made); });
  world_.counts().finalizers_owed.fetch_add(1, std::memory_order_relaxed);
}

// One record: no other thread's words come between those of a line.
void machine::print(std::size_t count) {
  std::string line;
  for (std::size_t i = count; i > 0; --i) line += text_of(top(i - 1)) + (i > 1 ? " " : "\n");
  world_.how().out->write(line);
  cut_to(stack_.used - count);
}

std::string machine::text_of(const value& what) const {
  switch (what.kind()) {
  case kind::unset:
  case kind::outcome:
  case kind::nil: return "nil";
  case kind::number: return std::to_string(what.number());
  case kind::function: return world_.code().functions[static_cast<std::size_t>(what.number())].name;
  case kind::text: return what.as<text>().letters;
  case kind::object: return "an object";
  case kind::lock:
    return what.as<lock>().held.load(std::memory_order_relaxed) != 0 ? "a held lock" : "a lock";
  case kind::thread: return "a thread";
  case kind::method: return "a method";
  }
  return {};
}

} // namespace tiny
