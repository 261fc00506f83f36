// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/reaped_for_others.hpp"

#include <lastcall/runtime/immortal.hpp>

#include <algorithm>
#include <vector>

namespace lastcall::detail {

namespace {

struct known {
  pid_t child = 0;
  bool ended = false;
  sys::child_end end{};
};

struct all_known {
  std::mutex lock;
  std::vector<known> children;
};

all_known& all() noexcept {
  static immortal<all_known> them;
  return *them;
}

// A number may come twice: of a child that has ended and is not forgotten yet, and of a new one.
known* find(pid_t child, bool ended) noexcept {
  auto& children = all().children;
  const auto at = std::find_if(children.begin(), children.end(),
                               [&](const known& one) { return one.child == child && one.ended == ended; });
  return at == children.end() ? nullptr : &*at;
}

} // namespace

std::mutex& known_children_lock() noexcept { return all().lock; }

void make_room_for_child() {
  auto& children = all().children;
  if (children.size() == children.capacity()) children.reserve(2 * children.size() + 8);
}

void add_child(pid_t child) noexcept { all().children.push_back({child}); } // there is room

std::optional<sys::child_end> end_kept_for(pid_t child) noexcept {
  const std::scoped_lock held{all().lock};
  const known* const one = find(child, true);
  return one != nullptr ? std::optional{one->end} : std::nullopt;
}

std::optional<sys::child_end> forget_child(pid_t child) noexcept {
  const std::scoped_lock held{all().lock};
  known* one = find(child, true);
  std::optional<sys::child_end> end;
  if (one != nullptr) end = one->end;
  if (one == nullptr) one = find(child, false);
  if (one != nullptr) {
    *one = all().children.back();
    all().children.pop_back();
  }
  return end;
}

bool keep_for_owner(const sys::child_end& end) noexcept {
  known* const one = find(end.pid, false);
  if (one == nullptr) return false;
  one->ended = true;
  one->end = end;
  return true;
}

} // namespace lastcall::detail
