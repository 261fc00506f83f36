// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string_view>

namespace lastcall::sys {

/// What the first argument of a system call is.
enum class first_argument : std::uint8_t { other, descriptor, word };

/// A system call in which threads are seen waiting.
struct waiting_call {
  std::string_view name; ///< empty: none of those that are known here
  first_argument first = first_argument::other;
};

/// The call with this number on this processor.
waiting_call waiting_call_of(long number) noexcept;

} // namespace lastcall::sys
