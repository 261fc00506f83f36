// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "world.hpp"

#include "cells.hpp"

#include <lastcall/runtime/immortal.hpp>
#include <lastcall/runtime/module_state.hpp>

#include <algorithm>
#include <mutex>

namespace tiny {
namespace {

constinit lastcall::module_state<world> the_world{"the script's world"};

// One that was kept, because a daemon is left that may come back, is in here for ever: a leak checker finds
// it.
struct worlds {
  std::mutex lock;
  std::vector<world*> all;
};
worlds& those_there_are() {
  static lastcall::immortal<worlds> it;
  return *it;
}

} // namespace

cell::cell(world& home, tiny::kind its) noexcept : home_{home}, kind_{its} { home_.add(*this); }
cell::~cell() { home_.remove(*this); }

void value::drop(cell& of) noexcept {
  if (--of.references_ == 0) of.home_.died(of);
}

object::object(world& home, value its_finalizer)
    : cell{home, tiny::kind::object}, finalizer{std::move(its_finalizer)} {}

void object::forget() noexcept {
  for (auto& [name, its] : attributes) its.forget();
  finalizer.forget();
}

value* object::find(std::int32_t name) noexcept {
  const auto at = std::ranges::find(attributes, name, &std::pair<std::int32_t, value>::first);
  return at == attributes.end() ? nullptr : &at->second;
}

void object::set(std::int32_t name, const value& to) {
  if (value* its = find(name))
    *its = to;
  else
    attributes.emplace_back(name, to);
}

world& world::of_this_runtime() { return the_world.get(); }

void world::begin(std::shared_ptr<const program> code, const settings& how, std::shared_ptr<ledger> counts) {
  code_ = std::move(code);
  how_ = how;
  counts_ = std::move(counts);
  globals.assign(code_->globals.size(), value::unset());
  for (const auto& one : code_->constants) {
    if (const auto* number = std::get_if<std::int64_t>(&one))
      constants.emplace_back(*number);
    else if (const auto* letters = std::get_if<std::string>(&one))
      constants.emplace_back(*new text{*this, *letters});
    else if (const auto* fn = std::get_if<function_number>(&one))
      constants.emplace_back(kind::function, static_cast<std::int64_t>(fn->value));
    else
      constants.emplace_back();
  }
}

world::world() {
  const std::lock_guard only{those_there_are().lock};
  those_there_are().all.push_back(this);
}

world::~world() {
  {
    const std::lock_guard only{those_there_are().lock};
    std::erase(those_there_are().all, this);
  }
  threads.clear(); // they have ended, or this would have been kept
  const auto forget = [](value& one) { one.forget(); };
  std::ranges::for_each(globals, forget);
  std::ranges::for_each(constants, forget);
  std::ranges::for_each(handles, forget);
  for (auto& stack : stacks_) stack.forget();
  for (cell* each : {newest_, dead_})
    for (cell* it = each; it != nullptr; it = it->older_) it->forget();
  while (dead_ != nullptr) destroy(next_dead());
  while (newest_ != nullptr) delete newest_;
}

script_stack& world::lend_stack() {
  stacks_.emplace_back();
  return stacks_.back();
}

void world::take_back(script_stack& stack) noexcept {
  stacks_.remove_if([&](const script_stack& one) { return &one == &stack; });
}

void world::add(cell& it) noexcept {
  it.older_ = newest_;
  if (newest_ != nullptr) newest_->newer_ = &it;
  newest_ = &it;
}

void world::remove(cell& it) noexcept {
  if (it.newer_ != nullptr)
    it.newer_->older_ = it.older_;
  else if (newest_ == &it)
    newest_ = it.older_;
  if (it.older_ != nullptr) it.older_->newer_ = it.newer_;
  it.newer_ = it.older_ = nullptr;
}

void world::died(cell& it) noexcept {
  remove(it);
  it.older_ = dead_;
  dead_ = &it;
}

cell* world::next_dead() noexcept {
  cell* const it = dead_;
  if (it != nullptr) dead_ = std::exchange(it->older_, nullptr);
  return it;
}

void world::revive(cell& it) noexcept { add(it); }

void world::destroy(cell* it) noexcept { delete it; }

} // namespace tiny
