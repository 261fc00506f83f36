// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/scanner_run.hpp"

#include <cstdlib>
#include <fstream>

namespace example_test {

scanner_run::scanner_run() : before_{std::filesystem::current_path()} {
  std::string name = (std::filesystem::temp_directory_path() / "scanner-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error{"mkdtemp", {}};
  here_ = name;
  std::filesystem::current_path(here_);
}

scanner_run::~scanner_run() {
  std::error_code ignored;
  std::filesystem::current_path(before_, ignored);
  std::filesystem::remove_all(here_, ignored);
}

void scanner_run::make_file(const std::string& name, std::string_view text) {
  std::ofstream{name + ".new"} << text;
  std::filesystem::rename(name + ".new", name);
}

std::vector<std::string> scanner_run::with(std::initializer_list<std::string> more) {
  std::vector<std::string> all{"--workers", "2"};
  all.insert(all.end(), more);
  return all;
}

pid_t scanner_run::pid_of_worker(child& it, int worker) {
  const std::string text = "worker " + std::to_string(worker) + " has pid ";
  const std::string& output = it.read_until(text);
  const auto at = output.find(text);
  return at == output.npos ? -1 : std::atoi(output.c_str() + at + text.size());
}

testing::AssertionResult scanner_run::in_order(const std::string& output,
                                               std::initializer_list<std::string> texts) {
  std::size_t at = 0;
  for (const auto& text : texts) {
    at = output.find(text, at);
    if (at == output.npos) return testing::AssertionFailure() << "no \"" << text << "\" there in\n" << output;
  }
  return testing::AssertionSuccess();
}

std::size_t scanner_run::count_of(const std::string& output, std::string_view text) {
  std::size_t count = 0;
  for (auto at = output.find(text); at != output.npos; at = output.find(text, at + 1)) ++count;
  return count;
}

} // namespace example_test
