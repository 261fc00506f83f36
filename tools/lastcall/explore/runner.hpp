// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/options.hpp"
#include "subject/launcher.hpp"
#include "subject/run.hpp"
#include "subject/sandbox.hpp"
#include "subject/tree_image.hpp"
#include "tracer/call_naming.hpp"
#include "tracer/process_files.hpp"
#include "tracer/tracer.hpp"

#include <filesystem>

namespace checker {

/// What a worker needs to run the subject, decided once for all of them.
struct run_setup {
  options wanted;
  tree_image initial;
  std::filesystem::path base; ///< the check's own directory
  std::string program;        ///< what to execute: see `find_program`
  isolation isolate = isolation::automatic;
};

/// Runs the subject in this process's sandbox, one run after the other.
class runner {
public:
  /// Enters the sandbox: for good. Throws `cannot_check`.
  runner(const run_setup& setup, unsigned index);

  /// The working directory as every run finds it.
  [[nodiscard]] tree initial_tree();
  /// A run in a fresh copy of the initial tree, with the trees it leaves.
  [[nodiscard]] trace_result run_fresh(const trace_task& task);
  /// The subject once more in what the last run left, nobody asking.
  [[nodiscard]] rerun run_again(const trace_task& task);
  /// The --verify command in what the last run left.
  [[nodiscard]] verification verify();

  [[nodiscard]] isolation used() const noexcept { return sandbox_.used(); }
  [[nodiscard]] call_naming& naming() noexcept { return naming_; }

private:
  [[nodiscard]] trace_result run_here(const std::string& program, const std::vector<std::string>& argv,
                                      const trace_task& task);
  const run_setup& setup_;
  sandbox sandbox_;
  process_files files_; // after the sandbox: it has a /proc of its own
  launcher launcher_;
  call_naming naming_;
};

/// Where the program is: as given, or, for a relative path that exists here, absolute, since the subject
/// will stand elsewhere. Throws `cannot_check` where there is no such program or it may not be executed.
[[nodiscard]] std::string find_program(const options& wanted);

} // namespace checker
