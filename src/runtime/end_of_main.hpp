// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>

namespace lastcall::detail {

/// Of a runtime that has just begun on the calling thread. When that is the main thread and leaves `main` by
/// `pthread_exit`, the runtime is finalized then, as by a return; and when all that is left of the process
/// are threads of ours that never end by themselves, the process exits. With the core's lock held.
void note_runtime_of_main(std::uint64_t generation) noexcept;

} // namespace lastcall::detail
