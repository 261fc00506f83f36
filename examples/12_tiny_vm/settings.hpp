// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "opcode.hpp"
#include "problem.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

namespace lastcall {
class buffered_writer;
}

namespace tiny {

/// What the machine does before each opcode.
enum class watch : std::uint8_t {
  word,    ///< looks at the thread's word
  counted, ///< the same, and counts
  nothing  ///< for the benchmark: what the look costs
};

/// The request of a run that is made on purpose, and what the machine saw of it. The main thread's opcodes
/// are counted, those of functions that it calls in order to enter, to leave and to finalize included.
struct watcher {
  std::size_t at = 0; ///< the request is made before this opcode, from 1; 0: there is none
  std::function<void()> request{};
  /// Whether one that would wait for more than a minute, or for input that is not there, has the request
  /// already as it begins to wait: so that every script comes to an end.
  bool when_it_waits = false;

  std::size_t seen = 0;
  bool made = false;
  bool waited = false;      ///< it was made because of `when_it_waits`
  opcode before{}, after{}; ///< between which two
  position where{};         ///< of `before`
};

/// A thread's run is cut: it has had its opcodes, and no `finally` runs.
struct out_of_steps {};

struct settings {
  lastcall::buffered_writer* out = nullptr; ///< for `print`
  lastcall::buffered_writer* err = nullptr; ///< for what nobody handles
  tiny::watch watch = tiny::watch::word;
  tiny::watcher* main = nullptr; ///< with `counted`
  std::size_t threads = 256;     ///< how many a script may start
  std::chrono::milliseconds longest_sleep{std::chrono::hours{24 * 366 * 100}};
  /// With `counted`: opcodes of a thread; then `out_of_steps` is thrown.
  std::size_t most = std::numeric_limits<std::size_t>::max();
};

} // namespace tiny
