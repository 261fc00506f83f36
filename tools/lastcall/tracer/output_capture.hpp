// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <string>

namespace checker {

/// Reads what a subject writes to its standard output and error, without ever waiting for it.
class output_capture {
public:
  /// Of each of the two; the rest is not kept.
  static constexpr std::size_t limit = std::size_t{64} << 20;
  /// Of each of the two: who writes as fast as it is read must not keep its tracer from everything else, for
  /// which others of its threads may be waiting.
  static constexpr std::size_t most_per_look = std::size_t{256} << 10;

  /// Both are non-blocking read ends, not owned.
  output_capture(int out, int err) : out_fd_(out), err_fd_(err) {}

  /// Takes some of what is there. False once the limit has been reached.
  [[nodiscard]] bool look();
  /// Takes all that is there, of writers that have ended.
  void take_rest();

  [[nodiscard]] std::string take_out() { return std::move(out_); }
  [[nodiscard]] std::string take_err() { return std::move(err_); }

private:
  static bool read_some(int fd, std::string& into, std::size_t most);
  int out_fd_;
  int err_fd_;
  std::string out_;
  std::string err_;
};

} // namespace checker
