// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/memory_barrier.hpp"

#include <cerrno>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

int membarrier(int command) noexcept {
  if (const int refused = admit(call::membarrier)) return -refused;
  return ::syscall(SYS_membarrier, command, 0, 0) < 0 ? -errno : 0;
}

} // namespace

int register_memory_barrier() noexcept { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

int memory_barrier() noexcept { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

} // namespace lastcall::sys
