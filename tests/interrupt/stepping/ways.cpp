// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/ways.hpp"

namespace stepping {

namespace {

// How often each address is met.
class counts {
public:
  explicit counts(const instructions& trace) : addresses_{trace} {
    std::sort(addresses_.begin(), addresses_.end());
    addresses_.erase(std::unique(addresses_.begin(), addresses_.end()), addresses_.end());
    times_.resize(addresses_.size());
  }
  std::size_t& of(address where) noexcept {
    const auto found = std::lower_bound(addresses_.begin(), addresses_.end(), where);
    return times_[static_cast<std::size_t>(found - addresses_.begin())];
  }

private:
  instructions addresses_;
  mapped_vector<std::size_t> times_;
};

// A round of a repeated instruction: no breakpoint is met for it.
bool is_a_further_round(const instructions& trace, std::size_t k) { return trace[k] == trace[k - 1]; }

} // namespace

mapped_vector<way> ways_through(const instructions& trace, bool breakpoints) {
  counts total{trace};
  for (const address where : trace) ++total.of(where);
  counts before{trace}; // up to the landmark
  counts met{trace};
  mapped_vector<way> ways(trace.size());
  std::size_t landmark = 0;
  for (std::size_t k = 1; k < trace.size(); ++k) {
    ways[k] = ways[k - 1];
    ++ways[k].stops;
    if (!breakpoints || is_a_further_round(trace, k)) continue;
    ++met.of(trace[k]);
    if (total.of(trace[k]) == 1) {
      ways[k] = {k, 0, 0, 1};
      for (std::size_t i = landmark; i < k; ++i) before.of(trace[i]) = met.of(trace[i]);
      landmark = k;
      continue;
    }
    // The run is stopped at its first instruction, at which a breakpoint would be met at once.
    if (landmark == 0 && trace[k] == trace[0]) continue;
    const std::size_t times = met.of(trace[k]) - before.of(trace[k]);
    const std::size_t stops = times + (landmark != 0 ? 1 : 0);
    if (stops < ways[k].stops) ways[k] = {landmark, k, times, stops};
  }
  return ways;
}

} // namespace stepping
