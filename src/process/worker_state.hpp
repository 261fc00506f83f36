// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/immortal.hpp>
#include <lastcall/scope/stop.hpp>

#include <mutex>
#include <optional>

namespace lastcall::detail {

/// What `this_worker` knows.
struct worker_process_state {
  int index = -1;
  std::mutex lock;
  std::optional<stop_source> stop; ///< once somebody has asked for it
};
worker_process_state& the_worker_state() noexcept;

} // namespace lastcall::detail
