// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace checker {

/// One line on a terminal that says how far a check is: runs done, runs a second, findings so far, time left.
/// It is drawn at most ten times a second and removed before anything else is written. On anything but a
/// terminal there is none.
class progress {
public:
  enum class wanted { no, if_terminal };

  /// `fd` is where it is drawn: standard error.
  progress(int fd, wanted);
  ~progress() { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void note(const char* what); ///< before there is a plan: what is being done
  void update(std::size_t done, std::size_t planned, std::size_t findings);
  void clear() noexcept;

private:
  using clock = std::chrono::steady_clock;
  void draw(const std::string& line);

  int fd_;
  bool on_;
  bool drawn_ = false;
  clock::time_point started_{};
  clock::time_point next_{};
};

/// The line itself, at most `columns` wide: `[####------]  120/300 runs  450/s  2 found  0:01 left`.
[[nodiscard]] std::string progress_line(std::size_t done, std::size_t planned, std::size_t findings,
                                        std::chrono::duration<double> elapsed, std::size_t columns);

} // namespace checker
