// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/failure.hpp"

#include <string>
#include <system_error>

namespace lastcall::sys {

void throw_failure(call which, int error, const char* purpose) {
  std::string text{name_of(which)};
  text.append(" (").append(purpose).append(")");
  throw std::system_error{error, std::system_category(), text};
}

} // namespace lastcall::sys
