// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>

namespace lastcall::detail {

/// The exception being handled, in one line for a report: what `what()` says, with the causes nested in it,
/// or "exception of type X" for one that is no `std::exception`. To be called inside a `catch`. Where there
/// is no memory for the line it says only that.
[[nodiscard]] std::string failure_text() noexcept;

} // namespace lastcall::detail
