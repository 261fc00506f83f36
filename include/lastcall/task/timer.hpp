// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lastcall::detail {

/// Something that happens in a loop at a moment. It knows its place in the heap, so that taking it out early
/// (most timers are) does not have to look for it.
class timer {
public:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  [[nodiscard]] bool armed() const noexcept { return place_ != nowhere; }

protected:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() = default;

private:
  friend class timer_heap;
  /// The moment has come; it is out of the heap.
  virtual void fire() noexcept = 0;
  std::size_t place_ = nowhere;
};

/// The timers of a loop: a heap of four children a node, with the moments beside the pointers, so that a way
/// down touches few lines of memory. Equal moments fire in the order in which they were added.
class timer_heap {
public:
  /// Throws std::bad_alloc.
  void add(timer& one, time_point when);
  void remove(timer& one) noexcept;
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// The earliest moment.
  [[nodiscard]] std::optional<time_point> next() const noexcept;
  /// Fires all those whose moment is not after `now`; true when there was one.
  bool fire_due(time_point now) noexcept;

private:
  struct entry {
    time_point when;
    std::uint64_t number;
    timer* what;
    [[nodiscard]] bool before(const entry& other) const noexcept {
      return when != other.when ? when < other.when : number < other.number;
    }
  };
  void put(std::size_t place, const entry& what) noexcept;
  void up(std::size_t place, const entry& what) noexcept;
  void down(std::size_t place, const entry& what) noexcept;

  std::vector<entry> entries_;
  std::uint64_t numbers_ = 0;
};

} // namespace lastcall::detail
