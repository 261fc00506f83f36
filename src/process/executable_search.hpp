// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

/// The files that a shell would try for a program of that name, in order: itself where it has a slash, else
/// one in each directory of `path`, where an empty one is the current directory.
std::vector<std::string> places_of(std::string_view program, std::string_view path);

/// PATH, or what confstr(_CS_PATH) commonly is where there is none.
std::string_view search_path() noexcept;

} // namespace lastcall::detail
