// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/registers.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace checker {

/// A part of a call's text that differs from run to run: everything between `before` and `after`. Shown as
/// `shown` ("XXXXXX"). Learnt from two undisturbed runs: see `learn_masks`.
struct call_mask {
  std::string before;
  std::string after;
  std::size_t length = 0; ///< of the varying part; 0: any
  std::string shown;
  friend bool operator==(const call_mask&, const call_mask&) = default;
};

/// Gives system calls the names that points are known by: `openat(./a.lock,O_RDWR|O_CREAT|O_EXCL)`,
/// `read(3)`, `rt_sigaction(SIGINT)`, `mmap()`. Only arguments that mean the same in every run are shown:
/// paths, descriptors, open flags, signals.
class call_naming {
public:
  /// `work` and `tmp` are the sandbox's directories: paths below them start with "." and "$TMPDIR".
  call_naming(std::string work, std::string tmp) : work_(std::move(work)), tmp_(std::move(tmp)) {}

  void use_masks(std::vector<call_mask> masks) { masks_ = std::move(masks); }

  /// The name of a call that the thread stands at or in; its memory is read for paths.
  [[nodiscard]] std::string name(pid_t thread, const call_entry& entry) const;
  /// `text` with the masked parts replaced.
  [[nodiscard]] std::string masked(std::string text) const;

private:
  [[nodiscard]] std::string path_text(pid_t thread, std::uint64_t address) const;
  std::string work_;
  std::string tmp_;
  std::vector<call_mask> masks_;
};

/// The kernel's name of a call, without arguments; "syscall_N" where unknown.
[[nodiscard]] const std::string& call_name(std::int64_t number);
/// The number of the call that a point's text begins with; -1 where there is none on this processor.
[[nodiscard]] std::int64_t call_number(std::string_view call_text);

} // namespace checker
