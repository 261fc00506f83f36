// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <cstddef>
#include <optional>

namespace lastcall::detail {

/// The time a whole stop may take, dealt out to stops that run one after the other.
///
/// Equal shares would give a server that drains for 20 s of 25 s too little, and "whatever is left" lets one
/// that hangs eat everything. So a quarter of the budget is set aside in equal slices, one for each stop, and
/// a stop may take all that is left but the slices of those after it: the first to hang costs itself its end,
/// not the others. Time that is not used stays in the budget.
class budget {
public:
  budget(duration whole, std::size_t stops) noexcept;

  /// The deadline of the stop that begins now, with `after` more to come. One with a limit of its own gets
  /// that instead, but never more than what is left.
  [[nodiscard]] deadline share(std::size_t after, std::optional<duration> own) const noexcept;

  /// From now on at most `span` is left, for a stop that runs and `after` more.
  void cut(duration span, std::size_t after) noexcept;

  [[nodiscard]] duration left() const noexcept { return end_.remaining(); }

private:
  deadline end_;
  duration slice_;
};

} // namespace lastcall::detail
