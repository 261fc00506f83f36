// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

/// What the calling thread has to do with the end of the runtime.
struct part_in_the_end {
  bool finalizes = false; ///< it is in `finalize` now
  bool hand = false;      ///< it runs what the program registered, for a finalization
  bool exempt = false; ///< it does, or has done, one of these or the exit of the process: it is never parked
};

[[gnu::tls_model("initial-exec")]] extern thread_local constinit part_in_the_end my_part;

} // namespace lastcall::detail
