// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/raw_call.hpp"

#include <cerrno>

#include <unistd.h>

namespace lastcall::sys {

long raw_call(long number, const long (&arguments)[6]) noexcept {
  const auto& a = arguments;
  const int kept = errno;
  const long result = ::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result != -1) return result;
  const int error = errno;
  errno = kept;
  return -error;
}

} // namespace lastcall::sys
