// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <memory>
#include <span>

namespace lastcall {

namespace detail {
class launched_process;
struct process_setup;
} // namespace detail

/// Where a pool's workers come from: a `zygote` or a `reexec`. One serves any number of pools.
class process_source {
public:
  virtual ~process_source() = default;
  process_source(const process_source&) = delete;
  process_source& operator=(const process_source&) = delete;

  /// Starts a process that serves what `setup` says, with these descriptors. For the pools. Any thread.
  /// Throws std::system_error.
  virtual std::unique_ptr<detail::launched_process> launch(const detail::process_setup& setup,
                                                           std::span<const int> fds) = 0;
  /// Whether addresses of code and data are the same in its processes as here.
  virtual bool same_addresses() const noexcept = 0;

protected:
  process_source() = default;
};

} // namespace lastcall
