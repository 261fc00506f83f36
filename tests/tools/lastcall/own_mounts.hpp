// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace checker::testing {

/// Whether this process may have mounts of its own that nobody else sees. Not without privileges; and not in
/// a chroot, even for root, where "/" is no mount point and so cannot be cut off from the mounts outside.
inline bool may_have_own_mounts() {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool possible = ::unshare(CLONE_NEWNS | CLONE_NEWPID) == 0 &&
                          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    ::_exit(possible ? 0 : 1);
  }
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

} // namespace checker::testing
