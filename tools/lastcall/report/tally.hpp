// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/explore.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace checker {

/// Where a run was interrupted, in an order in which "smaller" means easier to understand: first the point
/// that the program reaches first.
struct example {
  injection asked;
  std::size_t index = 0;
  std::uint32_t occurrence = 0; ///< as in `run`
  friend bool operator<(const example&, const example&);
};

/// All runs that showed the same defect: how many, and the smallest of them.
struct finding {
  observation shown; ///< of the smallest example
  std::size_t count = 0;
  std::map<position, std::size_t> positions; ///< how many runs at each
  std::map<int, std::size_t> signals;        ///< how many runs with each
  example at;
  ending end;
  std::string err; ///< standard error of the example
};

/// Runs that prove nothing, for one reason.
struct not_injected {
  std::size_t count = 0;
  example at;
};

/// What a check has shown so far, grouped. Only what is reported is kept: memory grows with the number of
/// different defects, not with the number of runs (but for the list of swallowed requests).
class tally {
public:
  /// The reference must stay until the last `add`.
  void plan(const reference&, std::size_t points, std::size_t planned);
  void add(const run&, const std::vector<observation>&);

  std::size_t points() const noexcept { return points_; }
  std::size_t planned() const noexcept { return planned_; }
  std::size_t runs() const noexcept { return runs_; }
  std::size_t count_not_injected() const noexcept { return not_injected_; }
  bool proves_nothing() const noexcept { return runs_ == not_injected_; }
  const std::map<std::string, not_injected>& reasons() const noexcept { return reasons_; } ///< by sentence
  const std::vector<example>& swallowed() const noexcept { return swallowed_; }
  std::size_t distinct() const noexcept { return findings_.size(); }
  /// Ordered by verdict, then the most frequent first.
  std::vector<finding> findings() const;

private:
  void group(const observation&, const run&, const example&);
  void absorb(std::size_t into);

  const reference* known_ = nullptr;
  std::size_t points_ = 0;
  std::size_t planned_ = 0;
  std::size_t runs_ = 0;
  std::size_t not_injected_ = 0;
  std::map<std::string, not_injected> reasons_;
  std::vector<example> swallowed_;
  std::vector<finding> findings_;
};

} // namespace checker
