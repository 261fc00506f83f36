// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string_view>

namespace checker {

/// Writes all of `bytes`, however many calls that takes; a signal in between does not matter. 0, or the errno
/// of the call that failed.
[[nodiscard]] int write_all(int fd, std::string_view bytes) noexcept;

} // namespace checker
