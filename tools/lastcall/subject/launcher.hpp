// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/isolation.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace checker {

/// A subject that has been created and waits for `release` before it becomes the program.
struct launched {
  std::string program;
  pid_t init = 0;    ///< PID 1 of its namespace; 0 without one
  pid_t subject = 0; ///< as this process sees it
  int out = -1;      ///< read ends, non-blocking
  int err = -1;
  int control = -1; ///< the handshake's socket
};

/// Starts subjects as children of the calling process, whatever namespace they live in.
///
/// The subject is never PID 1 (which is immune to default actions): an init of ours is, reaps its orphans
/// and takes the whole namespace with it when it is killed. The subject is a session and process group of
/// its own, with every disposition at its default, an empty signal mask, and no descriptors but 0, 1 and 2.
class launcher {
public:
  /// Throws `cannot_check`. With namespaces, call it inside the sandbox.
  launcher(isolation how, std::filesystem::path input);
  ~launcher();
  launcher(const launcher&) = delete;
  launcher& operator=(const launcher&) = delete;

  /// `program` is what to execute, looked up in PATH where it has no slash; `argv` what it is told. Throws
  /// `cannot_check`.
  [[nodiscard]] launched create(const std::string& program, const std::vector<std::string>& argv,
                                const std::filesystem::path& directory,
                                const std::filesystem::path& tmp) const;
  static constexpr std::int64_t no_call = -1;
  /// Lets the subject become the program. With a `stop_at`, calls of that number stop it and its descendants
  /// for the tracer (PTRACE_EVENT_SECCOMP), for good; where filters are not permitted none do.
  static void release(const launched& what, std::int64_t stop_at) noexcept;
  /// The errno of an exec that failed, once the subject has ended without becoming the program; 0 where
  /// it did become it.
  [[nodiscard]] static int exec_error(const launched& what) noexcept;
  static void close_all(launched& what) noexcept;

private:
  void create_init(launched& what) const;
  void leave_run_namespace() const;
  isolation how_;
  std::filesystem::path input_;
  int own_namespace_ = -1; ///< the pid namespace that this process's children are usually born into
};

} // namespace checker
