// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/wait/clock.hpp>

#include <span>
#include <string>

#include <signal.h>

namespace lastcall::detail {

/// The files of a cgroup that is there, opened while that can be refused: what ends it needs no memory and no
/// descriptor.
///
/// Threads: any, but one at a time looks whether it is populated, which belongs to the wait for a change.
class cgroup_files {
public:
  /// Throws std::system_error that names the file.
  explicit cgroup_files(std::string path);

  const std::string& path() const noexcept { return path_; }
  int entrance() const noexcept { return entrance_.number(); }
  int events() const noexcept { return events_.number(); }

  /// 1 while a process is in it or below it, 0, or minus an errno. Zombies are not in it.
  int populated() const noexcept;
  /// The numbers of its processes: how many, of which the first that there is room for are written; or minus
  /// an errno.
  int list(std::span<pid_t> into) const noexcept;
  /// Ends all of them, and what they begin meanwhile. False where the kernel refuses.
  bool kill() const noexcept;
  /// The same for kernels without cgroup.kill (before 5.14), one by one; what is in cgroups below it is not
  /// found.
  bool kill_each(duration span) const noexcept;
  /// Waits until nobody is left in it; not ended by a request. By the kernel's clock, whatever clock a test
  /// has put in its place.
  bool emptied_within(duration span) const noexcept;
  /// Removes the directory: 0, or minus an errno.
  int remove() const noexcept;

private:
  std::string path_;
  raw_fd entrance_, events_, kill_, freeze_;
};

} // namespace lastcall::detail
