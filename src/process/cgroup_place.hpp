// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <string_view>

namespace lastcall::detail {

/// Where a process's cgroup (version 2) is in the file system.
struct cgroup_place {
  std::string directory;
  std::string trouble; ///< why there is none: for people, empty where there is one
};

/// The place that /proc/self/mountinfo and /proc/self/cgroup say. A container may see a part of the tree
/// only, and systems that have both versions mount this one beside the others.
cgroup_place cgroup_place_of(std::string_view mounts, std::string_view memberships);

} // namespace lastcall::detail
