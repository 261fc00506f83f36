// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stacks/inlined_calls.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include <cxxabi.h>
#include <dwarf.h>

namespace lastcall::stacks {

namespace {

struct freed {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

std::string as_written(const char* symbol) {
  if (symbol == nullptr) return {};
  int failed = 0;
  const std::unique_ptr<char, freed> plain{abi::__cxa_demangle(symbol, nullptr, nullptr, &failed)};
  return failed == 0 && plain != nullptr ? plain.get() : symbol;
}

std::string name_in(Dwarf_Die* function, std::initializer_list<unsigned> kinds) {
  Dwarf_Attribute attribute;
  for (const unsigned kind : kinds)
    if (dwarf_attr_integrate(function, kind, &attribute) != nullptr)
      if (const char* const name = dwarf_formstring(&attribute)) return as_written(name);
  return {};
}

std::string full_name(Dwarf_Die* function) {
  return name_in(function, {DW_AT_linkage_name, DW_AT_MIPS_linkage_name});
}

std::string short_name(Dwarf_Die* function) { return name_in(function, {DW_AT_name}); }

// Where the inlined `call` stands in the function around it.
void say_where_called(Dwarf_Die* unit, Dwarf_Die* call, stack_frame& in) {
  Dwarf_Attribute attribute;
  Dwarf_Word number = 0;
  in.file.clear();
  in.line = 0;
  Dwarf_Files* files = nullptr;
  if (dwarf_formudata(dwarf_attr(call, DW_AT_call_file, &attribute), &number) == 0 &&
      dwarf_getsrcfiles(unit, &files, nullptr) == 0)
    if (const char* const name = dwarf_filesrc(files, number, nullptr, nullptr)) in.file = name;
  if (dwarf_formudata(dwarf_attr(call, DW_AT_call_line, &attribute), &number) == 0)
    in.line = static_cast<int>(number);
}

std::string symbol_at(Dwfl_Module* module, Dwarf_Addr place) {
  GElf_Off offset = 0;
  GElf_Sym symbol;
  std::string name =
      as_written(dwfl_module_addrinfo(module, place, &offset, &symbol, nullptr, nullptr, nullptr));
  name.erase(std::min(name.find('@'), name.size())); // the version of a shared library's symbol
  return name;
}

// libdwfl takes the unit that begins before `place`, whether or not it reaches that far.
Dwarf_Die* unit_at(Dwfl_Module* module, Dwarf_Addr place, Dwarf_Addr& bias) {
  Dwarf_Die* const unit = dwfl_module_addrdie(module, place, &bias);
  return unit != nullptr && dwarf_haspc(unit, place - bias) == 1 ? unit : nullptr;
}

void say_line(Dwfl_Module* module, Dwarf_Addr place, stack_frame& in) {
  Dwfl_Line* const line = dwfl_module_getsrc(module, place);
  if (line == nullptr) return;
  const char* const file = dwfl_lineinfo(line, nullptr, &in.line, nullptr, nullptr, nullptr);
  if (file != nullptr) in.file = file;
}

// What lies around `place`, innermost first. Asked by place, libdw goes on outside an inlined function with
// what is around its definition; asked by entry, with what is around its call.
std::pair<std::unique_ptr<Dwarf_Die, freed>, int> scopes_at(Dwarf_Die* unit, Dwarf_Addr place) {
  Dwarf_Die* found = nullptr;
  if (unit == nullptr || dwarf_getscopes(unit, place, &found) <= 0) return {};
  const std::unique_ptr<Dwarf_Die, freed> by_place{found};
  Dwarf_Die* around = nullptr;
  const int count = dwarf_getscopes_die(by_place.get(), &around);
  return {std::unique_ptr<Dwarf_Die, freed>{around}, count};
}

} // namespace

void add_calls(Dwfl_Module* module, Dwarf_Addr place, const stack_frame& like, std::vector<stack_frame>& to) {
  stack_frame next = like;
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = unit_at(module, place, bias);
  if (unit != nullptr) say_line(module, place, next);
  const auto [scopes, count] = scopes_at(unit, place - bias);
  std::string last_resort;
  // Innermost first, blocks among them. Each inlined function is a frame, and its call is a line of the one
  // around it, until a function that was really called.
  for (int i = 0; i < count; ++i) {
    Dwarf_Die* const scope = scopes.get() + i;
    const int kind = dwarf_tag(scope);
    if (kind == DW_TAG_subprogram) {
      next.function = full_name(scope);
      last_resort = short_name(scope);
      break;
    }
    if (kind != DW_TAG_inlined_subroutine) continue;
    next.function = full_name(scope);
    if (next.function.empty()) next.function = short_name(scope);
    next.inlined = true;
    to.push_back(next);
    next.inlined = false;
    next.function.clear();
    say_where_called(unit, scope, next);
  }
  // The debug information has no full name for functions that are not seen from elsewhere; the symbols have.
  if (next.function.empty()) next.function = symbol_at(module, place);
  if (next.function.empty()) next.function = last_resort;
  to.push_back(std::move(next));
}

} // namespace lastcall::stacks
