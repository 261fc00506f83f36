// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace checker {

/// How far a run is kept away from the rest of the machine.
enum class isolation {
  automatic,  ///< the strongest that this machine permits
  namespaces, ///< own pid and mount namespaces
  subreaper,  ///< no namespaces: orphans are adopted, directories are copies under TMPDIR
};

} // namespace checker
