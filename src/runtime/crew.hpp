// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/bell.hpp"
#include "runtime/stopper.hpp"

#include <memory>
#include <string>

namespace lastcall::detail {

/// The stopper in service, and its replacement when a job on it does not end.
///
/// *Threads*: the owner's alone.
class crew {
public:
  /// Throws `std::system_error` where no thread can be had.
  explicit crew(bell& done) : done_{done}, active_{std::make_unique<stopper>(done)} {}

  /// The stopper, which is idle; nullptr where none can be had any more.
  [[nodiscard]] stopper* on_duty() noexcept;

  /// Waits for the job on the stopper; one that does not end within `patience` is left behind.
  void settle(duration patience) noexcept;

  /// Leaves the stopper and the job on it behind. The process must leave without destroying anything.
  void leave_behind() noexcept;

  /// Ends the one in service, which is idle, within `patience`: see stopper::end.
  void end(duration patience) noexcept;

  /// How many were left behind.
  [[nodiscard]] std::size_t lost() const noexcept { return lost_; }

  /// Why there is no stopper, where there is none.
  [[nodiscard]] const std::string& shortage() const noexcept { return shortage_; }

private:
  bell& done_;
  std::unique_ptr<stopper> active_;
  std::size_t lost_ = 0;
  std::string shortage_;
};

} // namespace lastcall::detail
