// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/slow_watch.hpp"

#include "runtime/duration_text.hpp"

namespace lastcall::detail {

slow_watch::slow_watch(duration limit, timeline& events)
    : limit_{limit},
      complaint_{"its start takes longer than " + std::string{duration_text(limit).view()}},
      events_{events} {}

void slow_watch::begin(const std::string& name) noexcept {
  since_.store(clock::now(), std::memory_order_relaxed); // published by current_
  current_.store(&name, std::memory_order_release);      // pairs with the acquire in watch
  changed_.ring();
}

bool slow_watch::end() noexcept {
  // The watch is not woken for it: it looks again at the next start, or when this one would be slow.
  const auto* name = current_.exchange(nullptr, std::memory_order_relaxed);
  // Relaxed: it is only compared. A start that ends as it is being named may be reported either way.
  return named_.exchange(nullptr, std::memory_order_relaxed) == name;
}

void slow_watch::close() noexcept {
  closed_.store(true, std::memory_order_relaxed); // the bell orders it
  changed_.ring();
}

void slow_watch::watch() noexcept {
  const auto current = [this] { return current_.load(std::memory_order_acquire); }; // pairs with begin
  const auto closed = [this] { return closed_.load(std::memory_order_relaxed); };
  while (!closed()) {
    changed_.wait_until(deadline::never(), [&] { return closed() || current() != nullptr; });
    const auto* name = current();
    if (name == nullptr) continue;
    const auto over = [&] { return closed() || current() != name; };
    const auto since = since_.load(std::memory_order_relaxed);
    const auto limit = limit_ < time_point::max() - since ? deadline::at(since + limit_) : deadline::never();
    if (changed_.wait_until(limit, over)) continue;
    named_.store(name, std::memory_order_relaxed);
    events_.record(event_kind::late, *name, complaint_);
    changed_.wait_until(deadline::never(), over);
  }
}

} // namespace lastcall::detail
