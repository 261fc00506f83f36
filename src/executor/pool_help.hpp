// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "executor/pool_core.hpp"

namespace lastcall::detail {

struct pool_core::help {
  pool_worker* woken = nullptr;
  pool_worker* added = nullptr;
};

} // namespace lastcall::detail
