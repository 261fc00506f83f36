// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/event.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace lastcall {

/// What happened when, as data.
///
/// A report about an ending is written at the worst moment: out of memory, half torn down, from several
/// threads. So the timeline reserves its room when it is made, records without allocating, and counts
/// what no longer fits instead of growing: the first `capacity` events stay.
///
///     lastcall::timeline log;
///     auto printing = log.add_sink([](const lastcall::event& e) { print(e); });
///     log.record(lastcall::event_kind::note, "cache", "warm");
///     save(log.events());
///
/// Threads: all functions from any thread. Sinks are called on the thread that records, one at a time,
///   in the order of recording; while a sink runs, other recording threads wait for it, without limit: a sink
///   must not wait for anybody.
/// Signals: never call it from a signal handler; it takes a lock.
/// Errors: a sink that throws is contained and counted (`failed_sinks`); the others still run.
class timeline {
  struct sink_slot;

public:
  using sink = std::function<void(const event&)>;

  /// Removes its sink when destroyed (also from inside the sink). Must not outlive the timeline.
  class sink_handle {
  public:
    sink_handle() noexcept = default;
    sink_handle(sink_handle&& other) noexcept;
    sink_handle& operator=(sink_handle&& other) noexcept;
    ~sink_handle();
    void reset() noexcept;

  private:
    friend class timeline;
    sink_handle(timeline& owner, std::shared_ptr<sink_slot> slot) noexcept;
    timeline* owner_ = nullptr;
    std::shared_ptr<sink_slot> slot_;
  };

  explicit timeline(std::size_t capacity = 1024);
  ~timeline();
  timeline(const timeline&) = delete;
  timeline& operator=(const timeline&) = delete;

  /// Records an event of now and hands it to the sinks. A sink that records in turn is not called again
  /// for its own event.
  void record(event_kind kind, std::string_view name, std::string_view detail = {}) noexcept;

  /// From now on `fn` is called with each event, until the handle goes. Throws std::bad_alloc.
  [[nodiscard]] sink_handle add_sink(sink fn);

  /// A copy of what was recorded, oldest first.
  std::vector<event> events() const;
  /// Events that found no room (sinks got them all the same).
  std::size_t dropped() const noexcept;
  /// Calls of sinks that ended in an exception.
  std::size_t failed_sinks() const noexcept;

private:
  void call_sinks(const event& what) noexcept;
  void remove(const std::shared_ptr<sink_slot>& slot) noexcept;

  // 1. `sinks_lock_` is taken before `events_lock_`, never the other way round.
  // 2. Sinks run with `sinks_lock_` held and `events_lock_` free, so a sink may record and read.
  mutable std::recursive_mutex sinks_lock_;
  std::list<std::shared_ptr<sink_slot>> sinks_;
  bool calling_sinks_ = false;
  std::size_t failed_sinks_ = 0;

  mutable std::mutex events_lock_;
  std::vector<event> events_;
  std::size_t dropped_ = 0;
};

} // namespace lastcall
