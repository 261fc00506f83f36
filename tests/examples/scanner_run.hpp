// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "examples/child.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>

namespace example_test {

inline bool exited(int status, int with) { return WIFEXITED(status) && WEXITSTATUS(status) == with; }
inline bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

/// A directory with files for 08_scanner, and runs of it with two workers. The working directory of the test
/// is that one.
class scanner_run : public testing::Test {
protected:
  scanner_run();
  ~scanner_run() override;

  static void make_file(const std::string& name, std::string_view text);
  /// The options of all runs, and those.
  static std::vector<std::string> with(std::initializer_list<std::string> more);
  /// The pid of that worker, from the log.
  static pid_t pid_of_worker(child& it, int worker);
  /// The texts, in this order.
  static testing::AssertionResult in_order(const std::string& output,
                                           std::initializer_list<std::string> texts);
  static std::size_t count_of(const std::string& output, std::string_view text);

private:
  std::filesystem::path before_, here_;
};

} // namespace example_test
