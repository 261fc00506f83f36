// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <string_view>

/// Signatures must be equal for runs that show the same defect. What differs between two such runs (random
/// parts of temporary names, pids, addresses, line numbers) is masked; what is left names the defect.
namespace checker {

/// A path with the random parts of its names as `?`, one for each character: `sedk3JxQ9` becomes `sed??????`,
/// `.git/objects/3f/tmp_obj_aB3x9Z` becomes `.git/objects/??/tmp_obj_??????`, `core.4711` becomes
/// `core.????`. Made for the templates of mkstemp (six letters and digits), hexadecimal digests and numbers.
[[nodiscard]] std::string mask_path(std::string_view path);

/// A line of text with numbers and addresses as `#`.
[[nodiscard]] std::string mask_numbers(std::string_view line);

/// True where the two are equal once six or more `?` in a row in one stand for any letters and digits in the
/// other. A random name has a small chance to look like a word (one in a hundred); this brings it to its
/// group.
[[nodiscard]] bool same_under_mask(std::string_view left, std::string_view right) noexcept;

} // namespace checker
