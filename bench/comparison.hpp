// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <functional>
#include <string>
#include <vector>

/// What every benchmark here does: hold something of ours against what a user would otherwise pick, both in
/// one process and one run, and say in one row whether the promised ratio holds.
///
/// Absolute figures of a shared machine say little: the same loop is twice as slow while a neighbour
/// compiles. So the two sides take turns, repetition by repetition, and only the ratio of their medians
/// meets a bar.
///
///     int main() {
///       bench::report report{"checkpoint"};
///       report.add({.name = "nothing pending", .peer = "relaxed load", .unit = "ns", .bar =
///       bench::at_most(1.2)},
///                  [] { return bench::ns_per_call(10'000'000, [] { lastcall::checkpoint(); }); },
///                  [] { return bench::ns_per_call(10'000'000, [] { load(); }); });
///       return report.print();
///     }
namespace bench {

/// The promise a ratio ours/theirs is held against.
struct bar {
  enum class side { at_most, at_least } which = side::at_most;
  double value = 1;
  [[nodiscard]] bool holds(double ratio) const noexcept;
  [[nodiscard]] std::string text() const; ///< "<= 1.2", ">= 0.35"
};
[[nodiscard]] constexpr bar at_most(double value) noexcept { return {bar::side::at_most, value}; }
[[nodiscard]] constexpr bar at_least(double value) noexcept { return {bar::side::at_least, value}; }

/// One comparison before it is measured.
struct contest {
  std::string name; ///< the case: "/bin/true", "nothing pending"
  std::string peer; ///< what `theirs` measures
  std::string unit; ///< of both figures: "ns", "runs/s"
  bench::bar bar;
  unsigned repetitions = 11;
};

/// Measures one side once and returns a figure in the contest's unit.
using side = std::function<double()>;

/// Collects rows and prints them: JSON on standard output, progress on standard error.
class report {
public:
  explicit report(std::string bench_name);

  /// Measures both sides in turns, once each for warm-up, then `repetitions` times each, and keeps the row.
  void add(const contest&, const side& ours, const side& theirs);

  /// Prints one JSON array of all rows on standard output. Returns main's status: 0 where every bar held.
  [[nodiscard]] int print() const;

private:
  struct row {
    contest what;
    double ours = 0, theirs = 0, ratio = 0;
    bool ok = false;
  };
  std::string bench_;
  std::vector<row> rows_;
};

[[nodiscard]] double median(std::vector<double>);

/// The processor's monotonic time in nanoseconds.
[[nodiscard]] double now_ns() noexcept;

/// Keeps the compiler from removing a value's computation or moving it out of the loop.
template <class T>
inline void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// Time per call of `fn`, in a plain loop of `calls` turns.
template <class F>
[[nodiscard]] double ns_per_call(std::size_t calls, F&& fn) {
  const double start = now_ns();
  for (std::size_t i = 0; i < calls; ++i) {
    fn();
    asm volatile("" : : : "memory");
  }
  return (now_ns() - start) / static_cast<double>(calls);
}

} // namespace bench
