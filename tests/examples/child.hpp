// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace example_test {

/// A program that was started, with its output on a pipe. It carries an alarm: nothing here waits for ever.
class child {
public:
  /// Starts `program` from the directory of the examples; its standard error joins its output unless it is
  /// given a file of its own. Throws `std::system_error`.
  explicit child(const std::string& program, const std::vector<std::string>& arguments = {},
                 const std::string& output_file = {});
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// Reads up to the end of the first line that contains `text`. Returns all that was read so far.
  const std::string& read_until(const std::string& text);
  void send(int signal) const;

  /// Reads to the end and waits. Returns the status as waitpid(2) gives it.
  int wait();
  [[nodiscard]] const std::string& output() const noexcept { return output_; }

private:
  bool read_some();

  pid_t pid_ = -1;
  int out_ = -1;
  std::string output_;
};

} // namespace example_test
