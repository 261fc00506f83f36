// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace checker {

/// The check cannot be made: a program that cannot be started, no ptrace permission, no room on the disk.
/// One sentence for the user.
struct cannot_check : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A failed system call as such a sentence: "cannot WHAT: REASON".
[[noreturn]] inline void throw_cannot(const std::string& what, int error = errno) {
  throw cannot_check("cannot " + what + ": " +
                     std::strerror(error)); // NOLINT(concurrency-mt-unsafe): one thread
}

} // namespace checker
