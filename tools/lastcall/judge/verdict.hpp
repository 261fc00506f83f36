// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/run.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace checker {

enum class verdict { hang, crash, wrong_status, survivor, leftover, rerun_failed, noise, verify_failed };

[[nodiscard]] std::string_view to_string(verdict) noexcept; ///< "hang", "wrong_status", …: as in the JSON

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

/// What is wrong with `run`, held against the undisturbed runs. Empty: nothing.
[[nodiscard]] std::vector<observation> judge(const reference&, const run&);

} // namespace checker
