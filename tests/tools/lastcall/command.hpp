// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

/// Runs the built `lastcall check` (and other commands) for the end-to-end tests.
namespace checker::e2e {

using words = std::vector<std::string>;

/// A directory of its own, removed at the end.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& content) const;
  std::string read(const std::string& name) const;
  bool empty() const;

private:
  std::filesystem::path path_;
};

/// How a command ended and what it wrote.
struct result {
  int status = 0; ///< as waitpid() has it
  std::string out;
  std::string err;
  int exit_status() const; ///< -1 where it did not exit
};

/// Runs `command` to its end; `prepare` runs in the child just before. The child carries an alarm.
[[nodiscard]] result run_command(const words& command, const std::function<void()>& prepare = {});

/// The same, with what `--json` wrote (null where it wrote nothing).
struct checked : result {
  nlohmann::json report;
  std::set<std::string> verdicts() const;                          ///< of all findings
  const nlohmann::json* finding(const std::string& verdict) const; ///< the first of that verdict
  std::string all() const;                                         ///< everything, for a failed expectation
};

[[nodiscard]] std::string command_path();                              ///< of `lastcall`
[[nodiscard]] std::string subject(const std::string& kind_slash_name); ///< "bad/survivor"
[[nodiscard]] checked check(const words& options, const words& argv,
                            const std::function<void()>& prepare = {});

} // namespace checker::e2e
