// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string_view>

namespace lastcall {

/// How far the requests have climbed.
///
///     step      reached by                                     what it means
///     none      (no request yet, or all acknowledged)          the program runs
///     request   the first request of any kind                  stop
///     hurry     the next signal                                stop faster: deadlines shorten
///     force     the next signal                                end now, by that signal
///
/// Only signals climb beyond `request`: a program whose parts each call `request_stop` does not force
/// itself. Equal signals within the coalescing window are one step.
enum class ladder_step : std::uint8_t { none, request, hurry, force };

/// How signals climb.
enum class ladder_policy : std::uint8_t {
  normal,  ///< request, hurry, force
  patient, ///< later requests are recorded and handed over; the step stays `request`, nothing is forced
  eager    ///< the second signal forces
};

/// The step as a word, for reports.
std::string_view name_of(ladder_step step) noexcept;

/// Where one more signal leads from `now` under `policy`. All transitions of the ladder are here.
ladder_step next_step(ladder_step now, ladder_policy policy) noexcept;

} // namespace lastcall
