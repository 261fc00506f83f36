// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <stdexcept>

namespace checker {

/// The command line says something that cannot be done. One sentence that names what.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

} // namespace checker
