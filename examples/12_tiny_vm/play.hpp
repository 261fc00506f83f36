// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "program.hpp"
#include "settings.hpp"
#include "world.hpp"

#include <memory>

namespace tiny {

struct played {
  bool failed = false;    ///< something that nothing in the script handles was raised, and was said
  bool swallowed = false; ///< a request was delivered, and the script went on as if there had been none
};

/// Runs a script on the calling thread, in the runtime that is live, and then waits for its joined threads.
/// Finalizers of what is left then run at the end of the runtime.
///
/// Stop: on the owner of a signal_scope, a request leaves the script as lastcall::interrupted. Errors: what
/// lastcall::module_state throws where no runtime is live; std::bad_alloc.
played play(const std::shared_ptr<const program>& code, const settings& how,
            const std::shared_ptr<ledger>& counts);

} // namespace tiny
