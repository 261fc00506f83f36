// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

struct errand;

/// What the calling thread has to do with the end of the runtime.
struct part_in_the_end {
  bool finalizes = false; ///< it is in `finalize` now
  errand* hand = nullptr; ///< what it does for a finalization: it calls what the program registered
  bool exempt = false; ///< it does, or has done, one of these or the exit of the process: it is never parked
};

[[gnu::tls_model("initial-exec")]] extern thread_local constinit part_in_the_end my_part;

} // namespace lastcall::detail
