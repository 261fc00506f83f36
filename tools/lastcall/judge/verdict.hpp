// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace checker {

enum class verdict { hang, crash, wrong_status, survivor, leftover, rerun_failed, noise, verify_failed };

[[nodiscard]] std::string_view to_string(verdict) noexcept; ///< "hang", "wrong_status", …: as in the JSON

/// "exit 0", "SIGINT", "hung": as in the JSON.
[[nodiscard]] std::string to_string(const ending&);

/// One thing that is wrong with one run.
struct observation {
  verdict what;
  /// Equal for runs that show the same defect: kind and place, without what varies from run to run.
  std::string signature;
  std::vector<std::string> files; ///< of a leftover: "STRAY a.lock", "EMPTY out.txt", …
  std::string sentence;           ///< for a reader: what was seen
};

/// True where the run's trees equal the initial or the completed ones, up to what varies by itself. The
/// command is run again (`run::again`) only where this is false.
[[nodiscard]] bool in_known_state(const reference&, const run&);

/// What is wrong with `run`, held against the undisturbed runs. Empty: nothing; always empty for a run into
/// which nothing was injected.
[[nodiscard]] std::vector<observation> judge(const reference&, const run&);

/// True where the request left no trace: the run went to the end that an undisturbed one goes to. That is no
/// defect (a short program may well finish first), but worth to be counted. `found` is what `judge` said of
/// the run; the run's trees are not looked at.
[[nodiscard]] bool swallowed(const reference&, const run&, const std::vector<observation>& found);

} // namespace checker
