// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <system_error>

namespace lastcall {

/// Why a pool or a queue does not do what it was asked. That a runtime is missing or ends is a runtime_errc.
enum class executor_errc {
  closed = 1, ///< it was drained, dropped or destroyed, and takes nothing more
  full,       ///< as much waits in it as may; or nothing became free by the deadline
  dropped,    ///< the task was accepted and then discarded before it ran
  unfinished, ///< the task's thread was lost before the task had ended
  broken,     ///< the pool's initializer failed, or its last thread was lost: nothing can run in it
  forked,     ///< it belongs to the parent of this process: its threads do not exist here
  shut_down   ///< the queue was shut down, and there is nothing left to get
};

const std::error_category& executor_category() noexcept;
std::error_code make_error_code(executor_errc what) noexcept;

} // namespace lastcall

template <>
struct std::is_error_code_enum<lastcall::executor_errc> : std::true_type {};
