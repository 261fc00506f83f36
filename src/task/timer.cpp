// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/timer.hpp>

#include <algorithm>

namespace lastcall::detail {

namespace {
constexpr std::size_t children = 4;
}

void timer_heap::put(std::size_t place, const entry& what) noexcept {
  entries_[place] = what;
  what.what->place_ = place;
}

void timer_heap::up(std::size_t place, const entry& what) noexcept {
  while (place > 0) {
    const std::size_t parent = (place - 1) / children;
    if (!what.before(entries_[parent])) break;
    put(place, entries_[parent]);
    place = parent;
  }
  put(place, what);
}

void timer_heap::down(std::size_t place, const entry& what) noexcept {
  for (;;) {
    const std::size_t first = place * children + 1;
    if (first >= entries_.size()) break;
    std::size_t least = first;
    for (std::size_t i = first + 1; i < std::min(first + children, entries_.size()); ++i)
      if (entries_[i].before(entries_[least])) least = i;
    if (!entries_[least].before(what)) break;
    put(place, entries_[least]);
    place = least;
  }
  put(place, what);
}

void timer_heap::add(timer& one, time_point when) {
  entries_.emplace_back();
  up(entries_.size() - 1, {when, numbers_++, &one});
}

void timer_heap::remove(timer& one) noexcept {
  const std::size_t place = one.place_;
  if (place == timer::nowhere) return;
  one.place_ = timer::nowhere;
  const entry last = entries_.back();
  entries_.pop_back();
  if (place == entries_.size()) return; // it was the last
  if (place > 0 && last.before(entries_[(place - 1) / children]))
    up(place, last);
  else
    down(place, last);
}

std::optional<time_point> timer_heap::next() const noexcept {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().when;
}

bool timer_heap::fire_due(time_point now) noexcept {
  bool any = false;
  while (!entries_.empty() && entries_.front().when <= now) {
    timer& one = *entries_.front().what;
    remove(one);
    one.fire();
    any = true;
  }
  return any;
}

} // namespace lastcall::detail
