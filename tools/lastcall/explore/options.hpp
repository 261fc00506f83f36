// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/isolation.hpp"
#include "subject/point.hpp"
#include "subject/run.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace checker {

/// What to check and how: the command line of `lastcall check` as data.
struct options {
  std::vector<std::string> argv; ///< the subject
  std::vector<int> signals;      ///< default: SIGINT, SIGTERM
  std::vector<target_scope> scopes;
  std::vector<position> positions;
  std::optional<std::filesystem::path> dir;   ///< copied for each run; empty: an empty directory
  std::optional<std::filesystem::path> input; ///< the subject's standard input; empty: /dev/null
  std::optional<point> at;                    ///< only this point
  std::string verify;                         ///< shell command; empty: none
  isolation isolate = isolation::automatic;
  unsigned jobs = 0;     ///< runs at a time; 0: chosen from the processors and how much the subject sleeps
  seconds time_limit{0}; ///< for one run, from the request on; 0: chosen from the undisturbed run
  /// A program that is not done by then, and pauses, is taken never to end by itself.
  seconds undisturbed_limit{10};
  /// For the other processes to end, after the first; 0: as long as they do something, a quarter second or
  /// so.
  seconds grace{0};
  seconds budget{0};          ///< for the whole check; 0: none
  std::size_t max_points = 0; ///< at most this many, evenly spread; 0: all
};

} // namespace checker
