// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/isolation.hpp"
#include "subject/tree_image.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace checker {

/// The directories one worker runs its subject in, laid out afresh for each run.
///
/// With namespaces, the worker has mounts of its own: each run gets a new tmpfs, at a path that is the same
/// for all workers, and the copy of `--dir` lies *over* the original, so that absolute paths into it lead to
/// the copy too and the original cannot be touched. The worker goes on as PID 1 of a pid namespace of its
/// own, below which each run gets another. Nothing is left when the worker ends, however it ends.
///
/// Without, the directories are plain ones below the check's own directory, and absolute paths into `--dir`
/// lead to the original.
class sandbox {
public:
  /// `original` is the directory that `initial` was read from, `base` the check's own directory, `index` the
  /// worker's number. Enters the namespaces that `how` asks for; `automatic` takes what is permitted. With
  /// namespaces the caller returns from here as another process (a child of the one that called), so
  /// descriptors of /proc opened before are of no use. Throws `cannot_check`.
  sandbox(const std::optional<std::filesystem::path>& original, const tree_image& initial,
          std::filesystem::path base, unsigned index, isolation how);
  ~sandbox();
  sandbox(const sandbox&) = delete;
  sandbox& operator=(const sandbox&) = delete;

  /// Throws away what the last run left and lays the initial tree out. No process of it may be alive.
  void lay_out();

  [[nodiscard]] const std::filesystem::path& work() const noexcept {
    return work_;
  } ///< for reading the result
  [[nodiscard]] const std::filesystem::path& tmp() const noexcept { return tmp_; }
  /// The working directory as the subject sees it.
  [[nodiscard]] const std::filesystem::path& seen_as() const noexcept { return seen_as_; }
  [[nodiscard]] isolation used() const noexcept { return used_; }

private:
  void enter_namespaces();
  void remount();
  const tree_image& initial_;
  std::filesystem::path base_;
  std::filesystem::path work_;
  std::filesystem::path tmp_;
  std::filesystem::path seen_as_;
  isolation used_;
  bool covers_original_ = false; ///< the copy lies over --dir
  bool mounted_ = false;
};

} // namespace checker
