// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/process_end.hpp>
#include <lastcall/process/process_source.hpp>
#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

namespace lastcall {

/// How a log is made.
struct log_options {
  /// What is kept for a while when it cannot be written (a full disk); what does not fit is lost, and
  /// counted.
  std::size_t keep = std::size_t{1} << 20U;
  /// How long the writer may go on writing when this process has gone.
  duration orphan_grace = std::chrono::milliseconds{800};
  /// How long its writer may take to begin.
  duration bootstrap_within = std::chrono::seconds{5};
};

/// What became of a log.
struct log_end {
  std::uint64_t taken = 0;          ///< records that the writer has read: all that were handed over
  std::uint64_t written = 0;        ///< … that are in the output, whole
  std::uint64_t lost = 0;           ///< … that are not
  bool torn = false;                ///< the last one is in the output in part
  std::uint64_t refused = 0;        ///< records of this process that were never handed over: `write` said so
  std::error_code error{};          ///< the first one of the output's
  std::optional<process_end> end{}; ///< the writer's; none: it goes on, past the deadline
  bool known = false;               ///< the counts are the writer's own: it ended in peace
};

/// A process that writes the records of many, and ends last.
///
/// Several processes that write one file mix their lines or lose the last ones; and who is killed takes what
/// is in its buffer along. Here a record is handed over in one packet. From then on it is the writer's,
/// whatever becomes of who sent it, and the writer ends when nobody can send any more and all is written.
///
///     lastcall::log_writer log{nursery, lastcall::raw_fd::own(file)};
///     lastcall::worker_pool<scanner> pool{nursery, {.log = &log}, …};   // there: this_worker::log("scanned
///     12") … pool.stop(); auto end = log.close(deadline::after(2s));         // after everybody else
///
/// Ordering: records of one thread are in the output in their order; each gets a line end where it has none.
/// Threads: any. Stop: `close` admits no more, from no process, and waits until all is written, by the
/// deadline. Lifetime: the destructor closes, within two seconds. When this process ends, however it does,
/// the writer
///   writes what was handed over and ends, within `orphan_grace` at most.
/// Errors: the constructor throws std::system_error. A full disk harms nobody else: what cannot be kept is
/// lost, counted. Limits: a process that is killed loses the record it is about to hand over. One of more
/// than 32 KiB is refused.
///   A writer that is killed loses what it has read and not written, and what is on its way.
class log_writer {
public:
  log_writer(process_source& from, raw_fd to, log_options options = {});
  ~log_writer();
  log_writer(const log_writer&) = delete;
  log_writer& operator=(const log_writer&) = delete;

  /// Hands a record over. Waits while there is no room, up to five seconds. False when it was not: then it is
  /// lost, and counted.
  bool write(std::string_view record) noexcept;
  log_end close(deadline until) noexcept;

  /// The descriptor to hand records over with; for pools.
  int number() const noexcept;
  /// The writer's process; 0 before it is known.
  int pid() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace lastcall
