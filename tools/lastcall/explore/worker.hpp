// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/survey.hpp"
#include "explore/wire.hpp"

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace checker {

/// A process of ours that runs and judges subjects, one after the other, on one processor.
///
/// A process and not a thread: it lives in namespaces of its own, it is the parent of its subjects and of
/// nobody else, and when it is killed everything that it started goes with it. It is killed when the process
/// that made it ends, however that happens; the terminal's signals do not reach it.
class worker {
public:
  /// One that makes the survey and ends.
  [[nodiscard]] static worker for_survey(const run_setup& setup);
  /// One that looks once more, when all is done, whether the points are still where they were, and ends.
  [[nodiscard]] static worker for_recount(const run_setup& setup, const survey& known);
  /// One that makes the runs it is asked for.
  [[nodiscard]] static worker for_runs(const run_setup& setup, const survey& known,
                                       const std::vector<injection>& runs, unsigned index);

  worker(worker&& other) noexcept;
  worker& operator=(worker&&) = delete;
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker(); ///< kills it and waits for its end

  void ask(std::uint32_t run);
  /// Readable when an answer, or the worker's end, is there to be received.
  [[nodiscard]] int channel() const noexcept { return channel_; }
  /// Waits for one. Empty where the worker has ended without.
  [[nodiscard]] std::optional<wire::answer> receive();

  std::vector<std::uint32_t> asked; ///< runs without an answer yet, oldest first

private:
  template <class Body>
  static worker start(unsigned index, Body body);
  worker(pid_t process, int channel) noexcept : process_(process), channel_(channel) {}
  pid_t process_ = 0;
  int channel_ = -1;
};

/// Makes one requested run: until its request has arrived, five times at most and not for long; with rerun
/// and verification where they are called for; and judges it.
[[nodiscard]] wire::answer make_run(runner& here, const run_setup& setup, const survey& known,
                                    const injection& what);

} // namespace checker
