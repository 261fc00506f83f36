// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace checker {

/// Where, relative to one system call, a request arrives.
///
/// *before*: after the program decided to make the call, before the kernel starts it: the gap between
/// "look at the flag" and "go to sleep". *during*: while the call sleeps. *after*: the call is done, the
/// program has not seen its result yet.
enum class position : std::uint8_t { before, during, after };

/// Who gets the signal: the program's first process, every process of its process group, or the process whose
/// call it is (at `idle()`, which is nobody's: the first).
enum class target_scope : std::uint8_t { process, group, caller };

/// One place in a program's life, named so that the same place is found again in another run.
///
/// `role` names the process and thread by descent, not by pid: "0" is the first process, "0.2" its second
/// child, "0.2/1" that child's first extra thread. `call` is the system call with those arguments that do
/// not change from run to run (`openat(./a.lock,O_CREAT|O_EXCL)`); `ordinal` counts equal calls of one
/// role, from 1. The pseudo call `idle()` is the moment when every thread of the program waits.
///
/// Text form, as `--at` takes it: `role:call#ordinal@position`.
struct point {
  std::string role;
  std::string call;
  std::uint32_t ordinal = 1;
  position at = position::before;

  [[nodiscard]] std::string key() const;
  /// Reads what `key()` wrote. Empty where the text is not of that form; `why` then says what is wrong.
  [[nodiscard]] static std::optional<point> parse(std::string_view text, std::string& why);

  friend bool operator==(const point&, const point&) = default;
};

[[nodiscard]] std::string_view to_string(position) noexcept;
[[nodiscard]] std::string_view to_string(target_scope) noexcept;

/// A request to be made: this signal, to these processes, at this point.
struct injection {
  point where;
  int signal = 0;
  target_scope scope = target_scope::process;
};

} // namespace checker
