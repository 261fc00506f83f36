// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/finally.hpp>

namespace lastcall::detail {

void throw_both(const std::exception_ptr& body, const std::exception_ptr& cleanup) {
  if (!body) std::rethrow_exception(cleanup);
  throw failures{{body, cleanup}};
}

} // namespace lastcall::detail
