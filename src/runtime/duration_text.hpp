// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/inline_text.hpp>
#include <lastcall/wait/clock.hpp>

namespace lastcall::detail {

/// A span for people: "0.4 ms", "200 ms", "1.25 s", "2 min 5 s". Never allocates.
[[nodiscard]] inline_text<32> duration_text(duration span) noexcept;

} // namespace lastcall::detail
