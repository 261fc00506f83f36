// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/explore.hpp"
#include "report/tally.hpp"

#include <filesystem>
#include <string>

namespace checker {

/// The whole report as JSON text, ending in a newline. Its format is described in docs/check.md. Bytes that
/// are not UTF-8 (in file names, in what the subject wrote) are replaced.
[[nodiscard]] std::string json_report(const options&, const outcome&, const tally&);

/// Writes `text` to `file`, `-` being standard output: whole or not at all, by a temporary file beside it
/// that is renamed. Something that is there and no regular file (a pipe, /dev/null) is written directly.
/// Throws std::system_error naming the file.
void write_report(const std::filesystem::path& file, const std::string& text);

} // namespace checker
