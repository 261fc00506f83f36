// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/trace/timeline.hpp>

#include "wait/lock_around_waits.hpp"

#include <utility>

namespace lastcall {

struct timeline::sink_slot {
  sink call;
  bool removed = false; // guarded by sinks_lock_
};

timeline::timeline(std::size_t capacity) { events_.reserve(capacity); }

timeline::~timeline() = default;

void timeline::record(event_kind kind, std::string_view name, std::string_view detail) noexcept {
  // The sinks' lock comes first and stays, so that sinks see the events in the order of recording. Sinks are
  // user code and may want the big lock.
  wait::lock_with_big_lock_set_aside(sinks_lock_);
  const std::scoped_lock order{std::adopt_lock, sinks_lock_};
  const event what{clock::now(), kind, name, detail};
  {
    const std::scoped_lock storing{events_lock_};
    if (events_.size() < events_.capacity())
      events_.push_back(what);
    else
      ++dropped_;
  }
  if (!calling_sinks_) call_sinks(what);
}

// With sinks_lock_ held. The lock is recursive and a sink may record, add or remove: nested recordings
// find `calling_sinks_` set; removed sinks stay in the list, so that nobody frees the function that is
// running, until the round is over.
void timeline::call_sinks(const event& what) noexcept {
  calling_sinks_ = true;
  for (const auto& slot : sinks_) {
    if (slot->removed) continue;
    try {
      slot->call(what);
    } catch (...) {
      ++failed_sinks_;
    }
  }
  calling_sinks_ = false;
  sinks_.remove_if([](const auto& slot) { return slot->removed; });
}

timeline::sink_handle timeline::add_sink(sink fn) {
  auto slot = std::make_shared<sink_slot>(sink_slot{std::move(fn)});
  wait::lock_with_big_lock_set_aside(sinks_lock_);
  const std::scoped_lock order{std::adopt_lock, sinks_lock_};
  sinks_.push_back(slot);
  return {*this, std::move(slot)};
}

void timeline::remove(const std::shared_ptr<sink_slot>& slot) noexcept {
  wait::lock_with_big_lock_set_aside(sinks_lock_);
  const std::scoped_lock order{std::adopt_lock, sinks_lock_};
  slot->removed = true;
  if (!calling_sinks_) sinks_.remove(slot);
}

std::vector<event> timeline::events() const {
  const std::scoped_lock reading{events_lock_};
  return events_;
}

std::size_t timeline::dropped() const noexcept {
  const std::scoped_lock reading{events_lock_};
  return dropped_;
}

std::size_t timeline::failed_sinks() const noexcept {
  wait::lock_with_big_lock_set_aside(sinks_lock_);
  const std::scoped_lock order{std::adopt_lock, sinks_lock_};
  return failed_sinks_;
}

timeline::sink_handle::sink_handle(timeline& owner, std::shared_ptr<sink_slot> slot) noexcept
    : owner_{&owner}, slot_{std::move(slot)} {}

timeline::sink_handle::sink_handle(sink_handle&& other) noexcept
    : owner_{std::exchange(other.owner_, nullptr)}, slot_{std::move(other.slot_)} {}

timeline::sink_handle& timeline::sink_handle::operator=(sink_handle&& other) noexcept {
  if (this != &other) {
    reset();
    owner_ = std::exchange(other.owner_, nullptr);
    slot_ = std::move(other.slot_);
  }
  return *this;
}

timeline::sink_handle::~sink_handle() { reset(); }

void timeline::sink_handle::reset() noexcept {
  if (owner_ != nullptr) owner_->remove(slot_);
  owner_ = nullptr;
  slot_.reset();
}

} // namespace lastcall
