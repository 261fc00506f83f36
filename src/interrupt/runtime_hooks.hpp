// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

/// Whether the place of delivery is documented as throwing.
enum class at_point : bool { must_not_throw, may_throw };

/// What a checkpoint does for the runtime, a module above this one.
struct runtime_hooks {
  /// Sees to these bits of the calling thread's word. With `runtime_over` it throws or does not return.
  void (*answer)(std::uint32_t due, at_point how);
};

/// Null until there is a runtime. Set with release, once.
extern std::atomic<const runtime_hooks*> the_runtime_hooks;

} // namespace lastcall::detail
