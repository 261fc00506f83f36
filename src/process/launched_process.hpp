// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>
#include <lastcall/process/process_source.hpp>
#include <lastcall/stream/raw_fd.hpp>

#include "sys/admit.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace lastcall::detail {

/// What a process is told at its beginning; plain bytes, in one packet.
struct process_setup {
  static constexpr std::uint32_t the_mark = 0x6265'6769;
  static constexpr std::uint32_t the_version = 1;
  enum class role : std::uint32_t { worker = 1, log_writer, keeper };

  std::uint32_t mark = the_mark;
  std::uint32_t version = the_version;
  role what = role::worker;
  std::uint32_t policy = 0; ///< an on_interrupt
  pid_t manager = 0;
  std::int32_t index = 0;           ///< of the worker in its pool
  std::int64_t orphan_grace_ns = 0; ///< how long it may take to end without its manager
  std::uint64_t frame_limit = 0;
  std::uint64_t enters = 0; ///< 1: its last descriptor is the file by which it enters a cgroup
  std::uint64_t type = 0;   ///< the address of its worker_type, counted from `image`
  char image[256]{};        ///< the library it lies in; empty: the program
};

/// What a zygote says of a child on that child's certificate: first its birth, with a pidfd, then its end.
struct certificate_note {
  enum class what : std::uint32_t { born = 1, not_born, ended };
  what kind = what::born;
  pid_t pid = 0;
  std::int32_t value = 0; ///< an errno, a status, or a signal
  process_end::how how = process_end::how::unknown;
  sys::call at{}; ///< of the errno
};

/// A process of a source, as its manager sees it: a descriptor to watch, and what it has told so far.
///
/// Either this process's child, watched and reaped by its pidfd; or a zygote's, which tells of it on a socket
/// of its own (the certificate). Where the zygote has ended, the pidfd still says when the child does.
///
/// Threads: one.
class launched_process {
public:
  /// `place` is any descriptor: it keeps a number free for the pidfd, whatever else is opened until then.
  static launched_process by_certificate(raw_fd certificate, raw_fd place) noexcept;
  static launched_process by_pidfd(pid_t pid, raw_fd pidfd) noexcept;

  /// Readable when there is something to look at.
  int watched() const noexcept { return certificate_.is_open() ? certificate_.number() : pidfd_.number(); }
  /// Takes what is there. Never waits.
  void look() noexcept;

  pid_t pid() const noexcept { return pid_; }
  const std::optional<process_end>& end() const noexcept { return end_; }
  /// Whether the zygote, which would have told how it ends, has ended.
  bool is_orphan() const noexcept { return is_orphan_; }
  /// Why it was not born; 0 where it was.
  int birth_error() const noexcept { return birth_error_; }
  /// … and which call said so.
  sys::call birth_failed_at() const noexcept { return failed_at_; }
  /// Now, or as soon as its pidfd is there.
  void signal(int number) noexcept;

private:
  launched_process() noexcept = default;
  void take(const certificate_note& note, int fd) noexcept;
  void orphaned() noexcept;
  void not_born(sys::call at, int error) noexcept;

  raw_fd certificate_, pidfd_, place_;
  pid_t pid_ = 0;
  bool is_orphan_ = false;
  int birth_error_ = 0;
  sys::call failed_at_{};
  int signal_due_ = 0;
  std::optional<process_end> end_;
};

} // namespace lastcall::detail
