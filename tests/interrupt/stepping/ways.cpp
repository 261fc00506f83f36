// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/ways.hpp"

#include <utility>

#include <elf.h>
#include <sys/auxv.h>

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

// More than any way has.
constexpr std::size_t too_many = SIZE_MAX / 2;

// A round of a repeated instruction: no breakpoint is met for it.
bool is_a_further_round(const instructions& trace, std::size_t k) { return trace[k] == trace[k - 1]; }

} // namespace

bool reads_the_clock(address where) {
  static const auto [begin, end] = [] {
    const auto base = static_cast<address>(::getauxval(AT_SYSINFO_EHDR));
    address top = base;
    if (base != 0) {
      const auto& head = *reinterpret_cast<const Elf64_Ehdr*>(base); // NOLINT(performance-no-int-to-ptr)
      const auto* part =
          reinterpret_cast<const Elf64_Phdr*>(base + head.e_phoff); // NOLINT(performance-no-int-to-ptr)
      for (int i = 0; i < head.e_phnum; ++i, ++part)
        if (part->p_type == PT_LOAD) top = std::max<address>(top, base + part->p_vaddr + part->p_memsz);
    }
    return std::pair{base, top};
  }();
  return begin <= where && where < end;
}

mapped_vector<way> ways_through(const instructions& trace) {
  counts total{trace};
  for (const address where : trace) ++total.of(where);
  counts before{trace}; // up to the landmark
  counts met{trace};
  mapped_vector<way> ways(trace.size());
  std::size_t landmark = 0;
  for (std::size_t k = 1; k < trace.size(); ++k) {
    ways[k] = ways[k - 1];
    ++ways[k].stops;
    if (reads_the_clock(trace[k]) || is_a_further_round(trace, k)) continue;
    if (reads_the_clock(trace[k - 1])) ways[k].stops = too_many; // not by way of it
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
