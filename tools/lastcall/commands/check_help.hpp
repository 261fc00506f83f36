// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string_view>

namespace checker {

extern const std::string_view check_description; ///< stands before the options in `lastcall check --help`
extern const std::string_view check_footer;      ///< stands after them

} // namespace checker
