// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The command lines of the examples: options with a value each, and nothing else.
namespace example {

/// What is wrong with a command line, in one sentence.
class usage_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// "200ms", "2s", "1m": a positive whole number and its unit. Throws `usage_error`.
[[nodiscard]] std::chrono::milliseconds duration_of(std::string_view text);

struct option {
  std::string_view name;  ///< "--pace"
  std::string_view value; ///< "DURATION", for the help
  std::string_view help;
  std::function<void(std::string_view)> take; ///< throws `usage_error` for a value that is none
};

/// Reads `arguments`, the program's name not among them: "--pace 2s" and "--pace=2s". Throws `usage_error`.
void read(const std::vector<std::string_view>& arguments, const std::vector<option>& options);

/// The same for `main`. Returns true when the program should go on; otherwise it has printed its help or the
/// one sentence, and `status` is what main should return: 0 or 2.
[[nodiscard]] bool read(int argc, char** argv, std::string_view purpose, const std::vector<option>& options,
                        int& status);

} // namespace example
