// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

namespace lastcall {

namespace detail {
class number_writer;
}

/// Feeds the numbers of signals to a descriptor of the program's, one byte for each arrival, in order: see
/// `signal_scope::forward_numbers`. Ends with this object, or with the scope if that is closed first; it may
/// outlive the scope.
///
/// Threads: any, one at a time. In a forked child it closes its own copy of the descriptor and nothing else.
class [[nodiscard]] number_feed {
public:
  number_feed() noexcept = default;
  explicit number_feed(std::shared_ptr<detail::number_writer> to) noexcept : writer_{std::move(to)} {}
  number_feed(number_feed&& other) noexcept = default;
  number_feed& operator=(number_feed&& other) noexcept;
  ~number_feed();

  /// Ends it now: no handler writes any more. Waits for one that is writing, which takes no longer than a
  /// write to a non-blocking descriptor.
  void reset() noexcept;

  /// Arrivals whose number could not be written: the descriptor was full, or broken. They are recorded,
  /// counted and delivered as any other.
  std::uint64_t unwritten() const noexcept;
  /// The first failure other than being full: nothing was written after it. Empty while there was none.
  std::error_code broken() const noexcept;

private:
  std::shared_ptr<detail::number_writer> writer_;
};

} // namespace lastcall
