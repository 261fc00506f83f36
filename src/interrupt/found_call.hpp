// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/custody.hpp"

namespace lastcall::detail {

/// Calls a handler that was found, as the kernel would have: under the mask of the interrupted thread plus
/// what the handler asked for, with whatever information it takes. Puts the mask back after it.
///
/// Called at the very end of our own handler, or by somebody else's, or at the end of a shield: then without
/// a context. Nothing is held and no destructor waits: it may leave by a jump or end its thread. Signals: it
/// is one.
void call_found(const struct ::sigaction& found, int signal, siginfo_t* info, void* context);

} // namespace lastcall::detail
