// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <system_error>
#include <utility>

namespace lastcall {

/// A descriptor and whether it is ours to close.
///
///     lastcall::buffered_writer log{lastcall::raw_fd::own(io::open("access.log", O_WRONLY | O_CREAT,
///     0644))}; lastcall::buffered_writer to_parent{lastcall::raw_fd::borrow(3)};
///
/// Threads: as any value. It makes no call but close(2).
class raw_fd {
public:
  raw_fd() noexcept = default;
  /// To be closed with this object.
  static raw_fd own(int fd) noexcept { return {fd, true}; }
  /// Somebody else's, who keeps it open for as long.
  static raw_fd borrow(int fd) noexcept { return {fd, false}; }

  raw_fd(raw_fd&& other) noexcept
      : fd_{std::exchange(other.fd_, -1)}, owned_{std::exchange(other.owned_, false)} {}
  raw_fd& operator=(raw_fd&& other) noexcept;
  ~raw_fd();

  int number() const noexcept { return fd_; } ///< -1 when there is none
  bool is_open() const noexcept { return fd_ >= 0; }
  bool owned() const noexcept { return owned_; }
  /// Gives it away: no longer ours to close.
  int release() noexcept;
  /// Closes it where it is ours; what close(2) says, which may be the error of an earlier write. The
  /// descriptor is gone in any case.
  void close(std::error_code& error) noexcept;

private:
  raw_fd(int fd, bool owned) noexcept : fd_{fd}, owned_{owned} {}

  int fd_ = -1;
  bool owned_ = false;
};

} // namespace lastcall
