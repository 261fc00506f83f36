// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "process/log_tally.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace lastcall::detail {

/// Records on their way to a descriptor that may refuse them for a while.
///
/// What was begun is finished before anything else, so that records are whole in the output however often it
/// fails in between.
class log_output {
public:
  log_output(int fd, std::size_t keep) noexcept : fd_{fd}, keep_{keep} {}

  /// Throws nothing: a record for which there is no memory, or no room to keep it, is lost.
  void add(std::string_view record) noexcept;
  /// Writes what can be written; waits as write(2) does.
  void flush() noexcept;
  /// What has become of all; what is still here is lost.
  log_tally finish() noexcept;

private:
  int fd_;
  std::size_t keep_;
  std::string pending_;
  std::deque<std::size_t> sizes_; ///< of the records in it
  std::size_t done_ = 0;          ///< bytes of the first that are written
  log_tally tally_;
};

} // namespace lastcall::detail
