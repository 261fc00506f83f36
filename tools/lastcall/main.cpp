// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/check.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view help = R"(lastcall: does a program end well, whenever it is asked to?

Usage: lastcall COMMAND [OPTIONS]

Commands:
  check      interrupt a program at every system call and report what breaks

  lastcall check --help     all about it
  lastcall --version        the version of this command
)";

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (!words.empty() && words[0] == "check")
    return static_cast<int>(checker::check({words.begin() + 1, words.end()}));
  if (!words.empty() && words[0] == "--version") {
    fmt::print("lastcall {}\n", LASTCALL_VERSION);
    return 0;
  }
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h" || words[0] == "help")) {
    fmt::print("{}", help);
    return 0;
  }
  if (words.empty())
    fmt::print(stderr, "{}", help);
  else
    fmt::print(stderr, "lastcall: there is no command \"{}\"; try `lastcall --help`\n", words[0]);
  return static_cast<int>(checker::exit_status::cannot_check);
}
