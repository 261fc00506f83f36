// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The command lines of the examples: options with a value each, switches without one, and perhaps one word
/// that is no option.
namespace example {

/// What is wrong with a command line, in one sentence.
class usage_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// "200ms", "2s", "1m": a positive whole number and its unit. Throws `usage_error`.
[[nodiscard]] std::chrono::milliseconds duration_of(std::string_view text);

/// "0", "100": a whole number. Throws `usage_error`.
[[nodiscard]] long number_of(std::string_view text);

/// What an option for a duration may hold before it was given one.
constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 366 * 100};
constexpr std::chrono::milliseconds same = std::chrono::milliseconds{-1};

struct option {
  option(std::string_view its_name, std::string_view its_value, std::string_view its_help,
         std::function<void(std::string_view)> its_take)
      : name{its_name}, value{its_value}, help{its_help}, take{std::move(its_take)} {}
  /// One whose value is a duration.
  option(std::string_view its_name, std::string_view its_help, std::chrono::milliseconds& into)
      : option{its_name, "DURATION", its_help, [&into](auto text) { into = duration_of(text); }} {}
  /// One whose value is a number.
  option(std::string_view its_name, std::string_view its_help, long& into)
      : option{its_name, "NUMBER", its_help, [&into](auto text) { into = number_of(text); }} {}
  /// A switch.
  option(std::string_view its_name, std::string_view its_help, bool& into)
      : option{its_name, "", its_help, [&into](auto) { into = true; }} {}

  std::string_view name;  ///< "--pace"; empty: the word that is no option
  std::string_view value; ///< "DURATION", for the help; empty: there is none
  std::string_view help;
  std::function<void(std::string_view)> take; ///< throws `usage_error` for a value that is none
};

/// What a program takes beside its options: any number of words that begin with no "-", a single "-", and all
/// that follow "--".
struct operands {
  std::string_view name; ///< "FILES…", for the help
  std::string_view help; ///< what stands below the options
  std::vector<std::string>& into;
};

/// Reads `arguments`, the program's name not among them: "--pace 2s" and "--pace=2s". Throws `usage_error`.
void read(const std::vector<std::string_view>& arguments, const std::vector<option>& options,
          const operands* rest = nullptr);

/// What `main` does: reads the command line and returns what `program` returns. Help is printed instead, with
/// 0. A command line that is none, and a system that refuses something, are one sentence on standard error,
/// with 2 and 70.
[[nodiscard]] int as_program(int argc, char** argv, std::string_view purpose,
                             const std::vector<option>& options, const std::function<int()>& program,
                             const operands* rest = nullptr);

} // namespace example
