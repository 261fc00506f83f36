// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

/// Once, before the first slot is taken in a process that may fork. 0 or minus an errno.
int prepare_slots_for_fork() noexcept;

} // namespace lastcall::detail
