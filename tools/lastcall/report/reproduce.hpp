// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/options.hpp"
#include "report/tally.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace checker {

/// `text` as one word of a shell's command line, quoted only where it must be. Text with control characters
/// becomes `$'…'`, which bash, zsh and ksh read; all other text is quoted as POSIX has it.
[[nodiscard]] std::string shell_quote(std::string_view text);

/// The words as a command line.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// The command line that makes the same request at the same point once more, with the directory, input and
/// verification of this check.
[[nodiscard]] std::string reproduce_line(const options&, const injection&);

/// The same with strace alone, in a copy of the directory, for someone without this command. Empty where
/// strace cannot do it: it delivers only at the kernel's entry (so never *before* a call), to one process,
/// counting its calls.
[[nodiscard]] std::optional<std::string> strace_line(const options&, const example&);

} // namespace checker
