// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

/// Registers and stacks of this process's threads, taken while each of them stands still for a moment.
namespace lastcall::sys {

/// What was taken of one thread.
struct thread_sample {
  /// As DWARF numbers them; of x86-64 the 16 general ones and the place of execution, of arm64 x0 to x30 and
  /// sp.
  static constexpr unsigned most_registers = 33;

  pid_t thread = 0; ///< whom; to be filled in before
  /// 0: all below is there. ESRCH: it has ended; EPERM: it may not be traced, or is already; ETIMEDOUT: it
  /// has not stopped in time; ECHILD: who took the samples was killed; or another one of the kernel's.
  int error = 0;
  unsigned register_count = 0;
  std::uint64_t registers[most_registers]{};
  std::uint64_t place = 0;          ///< of the next instruction
  std::uint64_t stack_at = 0;       ///< the address of what `stack` is a copy of
  const std::byte* stack = nullptr; ///< lies in the room of the sampling
  std::size_t stack_size = 0;       ///< bytes
};

struct sampling {
  thread_sample* samples = nullptr; ///< the calling thread must not be among them
  std::size_t count = 0;
  std::byte* room = nullptr; ///< for copies of stacks
  std::size_t room_size = 0;
  std::size_t most_of_one = 0; ///< bytes of one stack
  std::int64_t within_ns = 0;  ///< how long threads are waited for
  /// For tests: called in the sampler, when the first thread has been told to stop. It may make system calls
  /// only and nothing that uses thread-local storage.
  void (*in_the_middle)() = nullptr;
};

/// Takes them. 0, or minus an errno when nothing was taken: of clone or mmap; EOPNOTSUPP where it may not be
/// tried or is not possible on this processor; EBUSY when the sampler does not end though it was killed:
/// then the samples and the room still belong to it, and must never be freed.
/// Returns within `within_ns` and two seconds. Throws nothing, allocates nothing but its own pages.
int sample_threads(sampling& what) noexcept;

/// Eight bytes of this process's memory, whatever lies there; false where nothing does.
bool read_memory(std::uint64_t address, std::uint64_t& into) noexcept;

/// Pages for the samples' room, of which only those are paid for that are used; nullptr when there are none.
std::byte* take_pages(std::size_t size) noexcept;
void give_pages_back(std::byte* pages, std::size_t size) noexcept;

} // namespace lastcall::sys
