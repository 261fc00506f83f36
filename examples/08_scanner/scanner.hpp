// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "fault.hpp"

#include <lastcall/process/this_worker.hpp>
#include <lastcall/trace/inline_text.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// A line that a pattern matches.
struct match {
  std::uint64_t line = 0;    ///< from 1, in the block
  std::uint32_t pattern = 0; ///< which of the patterns, from 0
};

/// What a worker has found in a block: which patterns it went by, how many lines begin in it, matches in
/// order.
using block_result = std::tuple<std::uint64_t, std::uint64_t, std::vector<match>>;

/// The patterns that all workers search for, with the number of their edition.
using pattern_list = std::vector<std::string>;

/// How a worker goes about it: as plain memory, for the way to its process.
struct habits {
  std::uint64_t block = 0;             ///< bytes of a block of a file
  std::int64_t busy_ns = 0;            ///< how long a block takes at least: for trying out what a stop finds
  std::int64_t pace_ns = 0;            ///< … and its start and each update
  std::int64_t log_began_ns = 0;       ///< the log's time zero
  bool talkative = false;              ///< whether it logs what it does
  int faulty = -1;                     ///< which worker does not come up: for trying that out …
  fault_kind fault = fault_kind::none; ///< … and how
};

/// What is in every worker process: compiled patterns, and the search for them.
///
/// It is the "manager of something heavy" of the published example: two ways of processing, and a state that
/// can be replaced while it runs.
class scanner {
public:
  /// Throws std::invalid_argument for a pattern that is none, with RE2's words.
  scanner(pattern_list patterns, habits how);
  ~scanner();

  /// Searches a text that was sent along.
  block_result process_string(std::string text);
  /// Searches the block of that number of a file, which it reads by itself. Throws std::system_error.
  block_result process_number(std::string file, std::uint64_t number);
  /// From now on it searches for these.
  void update(pattern_list patterns, std::uint64_t edition);

private:
  struct compiled;
  block_result search(std::string_view text);
  void say(std::string_view what) const;

  habits how_;
  std::uint64_t edition_ = 0;
  std::unique_ptr<compiled> compiled_;
};

/// Whether they can be compiled: throws std::invalid_argument that says which cannot, and why.
void require_valid(const pattern_list& patterns);
