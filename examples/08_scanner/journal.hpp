// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/log_writer.hpp>
#include <lastcall/process/process_source.hpp>
#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/trace/event.hpp>
#include <lastcall/wait/clock.hpp>

#include <string_view>

/// Everything that is said about the work: by the application, its components and all workers, in one log,
/// written by a process that ends last.
class journal {
public:
  /// With `all` everything is written, else only what went wrong. Throws std::system_error.
  journal(lastcall::process_source& from, lastcall::raw_fd to, bool all);

  void record(const lastcall::event& what);
  void note(std::string_view who, std::string_view what);     ///< where all is wanted
  void complain(std::string_view who, std::string_view what); ///< in any case

  /// After everybody else. False where something was lost, which is said on standard error.
  bool close();

  lastcall::log_writer& writer() noexcept { return writer_; }
  bool talkative() const noexcept { return all_; }
  lastcall::time_point began() const noexcept { return began_; }

private:
  const bool all_;
  const lastcall::time_point began_ = lastcall::clock::now();
  lastcall::log_writer writer_;
};
