// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/stop_plan.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>

namespace lastcall {

class cgroup;
class child;

/// A descriptor of ours that the new program gets under a number of its own choice.
struct handed_descriptor {
  int ours = -1;
  int theirs = -1;
};

/// What a standard stream of the new program is.
struct child_stream {
  enum class kind : std::uint8_t {
    inherit, ///< ours
    nothing, ///< /dev/null
    given,   ///< a descriptor of ours
    pipe     ///< a pipe, whose other end is `child::input`, `output` or `errors`
  };
  kind what = kind::inherit;
  int fd = -1; ///< of `kind::given`

  static child_stream nothing() noexcept { return {kind::nothing}; }
  static child_stream pipe() noexcept { return {kind::pipe}; }
  static child_stream given(int fd) noexcept { return {kind::given, fd}; }
};

/// A limit of a resource, as setrlimit(2) knows it.
struct process_limit {
  int resource = 0; ///< RLIMIT_NOFILE and its like
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// Which process group a child is in: a terminal's Ctrl-C goes to all of one.
enum class process_group : std::uint8_t {
  inherit, ///< ours
  own,     ///< one of its own
  session  ///< a session of its own, without a terminal
};

/// How a program is started.
struct spawn_options {
  /// The environment, "NAME=value" each; ours where there is none.
  std::optional<std::vector<std::string>> environment{};
  std::string directory{}; ///< empty: ours
  child_stream input{}, output{}, errors{};
  /// Besides; all others are closed by their close-on-exec.
  std::vector<handed_descriptor> descriptors{};
  std::vector<process_limit> limits{};
  process_group group = process_group::inherit;
  /// Where it begins, with all that it starts; none: where this process is.
  const cgroup* inside = nullptr;
  /// The signal it gets when the *thread* that starts it ends. 0: none. An exec of a set-uid program clears
  /// it.
  int parent_death_signal = 0;
  /// How it is stopped by `stop()` and by the destructor.
  stop_plan plan{};
  /// The plan's `stop_step::ask`: on the thread that stops; must not throw. Without one, a piped input is
  /// closed.
  std::function<void(child&)> ask{};
  /// After each step that did not help: on the thread that stops; must not throw.
  std::function<void(const child&, const stop_step&)> on_late{};
};

} // namespace lastcall
