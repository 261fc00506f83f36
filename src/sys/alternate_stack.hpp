// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>

/// The stack that handlers of the calling thread run on, if it has one of its own for them (sigaltstack).
namespace lastcall::sys {

/// Its size; 0 when there is none.
std::size_t alternate_stack_size() noexcept;
/// What the kernel itself lays down there before a handler begins: the processor's registers, which grow with
/// the processor.
std::size_t signal_frame_size() noexcept;

} // namespace lastcall::sys
