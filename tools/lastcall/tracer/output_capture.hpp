// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>

namespace checker {

/// Reads what a subject writes to its standard output and error, without ever waiting for it.
class output_capture {
public:
  /// Both are non-blocking read ends, not owned.
  output_capture(int out, int err) : out_fd_(out), err_fd_(err) {}

  /// Takes what is there. False once more than the limit (64 MiB) has been written: the rest is not kept.
  [[nodiscard]] bool drain();

  [[nodiscard]] std::string take_out() { return std::move(out_); }
  [[nodiscard]] std::string take_err() { return std::move(err_); }

private:
  static bool drain(int fd, std::string& into);
  int out_fd_;
  int err_fd_;
  std::string out_;
  std::string err_;
};

} // namespace checker
