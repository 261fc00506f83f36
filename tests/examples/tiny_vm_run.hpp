// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "play.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiny_test {

/// What came of a script that was run in this process, in a runtime of its own.
struct ran {
  std::string out, err;     ///< what it printed, and what nobody handled
  bool failed = false;      ///< … in its main thread
  bool interrupted = false; ///< it was left by a request
  bool clean = false;       ///< the end of the runtime was
  std::shared_ptr<tiny::ledger> counts = std::make_shared<tiny::ledger>();
};

std::shared_ptr<const tiny::program> compiled(std::string_view source,
                                              tiny::layout how = tiny::layout::whole);
/// Compiles and runs.
ran run(std::string_view source, tiny::layout how = tiny::layout::whole, tiny::watcher* watched = nullptr);

/// A file out of examples/12_tiny_vm/scripts.
std::string path_of(const std::string& script);
std::string text_of(const std::string& script);
/// The names of all of them.
std::vector<std::string> all_scripts();

/// Standard input becomes a pipe that nobody writes to, or ends at once.
void input_that_never_comes();
void input_that_has_ended();

} // namespace tiny_test
