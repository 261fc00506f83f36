// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/options.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace checker {

/// The command line of `lastcall check` as data.
struct check_arguments {
  options what;
  std::optional<std::filesystem::path> json; ///< `-`: standard output
  bool swallowed = false;
  bool quiet = false;
};

/// What to do about a command line: check, or only show a text (`--help`).
struct parsed_check {
  check_arguments arguments;
  std::optional<std::string> show;
};

/// Reads the words after `lastcall check`. Everything after the first `--` is the subject and not looked at.
/// Throws usage_error.
[[nodiscard]] parsed_check parse_check(const std::vector<std::string>& words);

} // namespace checker
