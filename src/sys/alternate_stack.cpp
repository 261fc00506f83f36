// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/alternate_stack.hpp"

#include <signal.h>
#include <unistd.h>

namespace lastcall::sys {

std::size_t alternate_stack_size() noexcept {
  stack_t now{};
  if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) != 0) return 0;
  return now.ss_size;
}

std::size_t signal_frame_size() noexcept {
  const long size = ::sysconf(_SC_MINSIGSTKSZ);
  return size > 0 ? static_cast<std::size_t>(size) : std::size_t{2048};
}

} // namespace lastcall::sys
