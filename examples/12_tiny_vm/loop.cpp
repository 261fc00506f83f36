// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "machine.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include <memory>

namespace tiny {

// Before each opcode a look at the thread's word: one relaxed load, behind which are the request, a posted
// call, somebody who waits for the big lock, and the end of the runtime. What is in registers is written to
// the stack before anything that may throw or look at it.
template <watch how>
void machine::loop(std::size_t floor) {
  value* values = nullptr;
  value* sp = nullptr;
  value* locals = nullptr;
  const instruction* code = nullptr;
  const instruction* ip = nullptr;
  const value* const constants = world_.constants.data();
  value* const globals = world_.globals.data();
  const auto load = [&] {
    const frame& in = stack_.frames.back();
    values = stack_.values.data();
    sp = values + stack_.used;
    locals = values + in.base;
    code = in.of->code.data();
    ip = code + in.next;
  };
  const auto save = [&] {
    stack_.used = static_cast<std::size_t>(sp - values);
    stack_.frames.back().next = static_cast<std::size_t>(ip - code);
  };
  const auto put = [&](const value& what) { std::construct_at(sp++, what); }; // nothing is there
  load();
  for (;;) {
    if constexpr (how == watch::word) {
      try {
        lastcall::checkpoint();
      } catch (...) {
        save();
        throw;
      }
    }
    if constexpr (how == watch::counted) {
      save();
      before(*ip);
    }
    const instruction& now = *ip++;
    const auto a = static_cast<std::size_t>(now.a);
    switch (now.what) { // `continue`: nobody can have died
    case opcode::constant: put(constants[a]); continue;
    case opcode::load: put(locals[a]); continue;
    case opcode::load_global:
      put(globals[a]);
      if (globals[a].kind() == kind::unset) [[unlikely]] {
        save();
        fail(world_.code().globals[a] + " has no value yet");
      }
      continue;
    case opcode::store: locals[a] = std::move(*--sp); break;
    case opcode::store_global: globals[a] = std::move(*--sp); break;
    case opcode::pop: (--sp)->clear(); break;
    case opcode::add: {
      std::int64_t sum = 0;
      if (sp[-2].is_number() && sp[-1].is_number() &&
          !__builtin_add_overflow(sp[-2].number(), sp[-1].number(), &sum)) [[likely]] {
        sp[-2].number() = sum;
        --sp;
        continue;
      }
      save(), arithmetic(now.what), load();
      break;
    }
    case opcode::less:
      if (sp[-2].is_number() && sp[-1].is_number()) [[likely]] {
        sp[-2].number() = sp[-2].number() < sp[-1].number() ? 1 : 0;
        --sp;
        continue;
      }
      save(), compare(now.what), load();
      break;
    case opcode::subtract:
    case opcode::multiply:
    case opcode::divide: save(), arithmetic(now.what), load(); break;
    case opcode::equal:
    case opcode::invert: save(), compare(now.what), load(); break;
    case opcode::jump:
      ip = code + a;
      if (role_ == role::joined) stop_point();
      continue;
    case opcode::jump_if_false: {
      const bool holds = (--sp)->holds();
      if (!holds) ip = code + a;
      if (!sp->is_cell()) continue;
      *sp = value{};
      break;
    }
    case opcode::load_attribute: save(), load_attribute(now.a), load(); break;
    case opcode::store_attribute: save(), store_attribute(now.a), load(); break;
    case opcode::call: save(), begin_call(a), load(); break;
    case opcode::give_back:
      save();
      if (leave_frame(floor)) return;
      load();
      break;
    case opcode::print: save(), print(a), load(); break;
    case opcode::input: save(), input(), load(); break;
    case opcode::sleep: save(), sleep(), load(); break;
    case opcode::make: save(), make(now.a), load(); break;
    case opcode::spawn: save(), spawn(a, now.b != 0), load(); break;
    case opcode::raise: save(), fail(text_of(top())); break;
    case opcode::setup_finally:
      save();
      stack_.blocks.push_back({a, stack_.used, stack_.flights.size(), shields_});
      continue;
    case opcode::enter_try: save(), enter_try(a, static_cast<std::size_t>(now.b)), load(); break;
    case opcode::setup_with: save(), enter_with(a), load(); break;
    case opcode::enter_finally: save(), enter_finally(), load(); continue;
    case opcode::pop_block: stack_.blocks.pop_back(); continue;
    case opcode::exit_with: save(), exit_with(), load(); break;
    case opcode::end_finally:
      save();
      if (end_finally(floor)) return;
      load();
      break;
    default: __builtin_unreachable(); // the compiler makes no others
    }
    if (world_.has_dead()) [[unlikely]]
      save(), bury(), load();
  }
}

template void machine::loop<watch::word>(std::size_t floor);
template void machine::loop<watch::counted>(std::size_t floor);
template void machine::loop<watch::nothing>(std::size_t floor);

} // namespace tiny
