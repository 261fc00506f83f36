// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace stepping {

using address = std::uintptr_t;

/// Memory that is not of the heap: see proof.cpp.
template <class T>
struct mapped {
  using value_type = T;
  mapped() = default;
  template <class U>
  explicit mapped(const mapped<U>&) noexcept {}
  T* allocate(std::size_t count) {
    void* memory =
        ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept { ::munmap(memory, count * sizeof(T)); }
  bool operator==(const mapped&) const = default;
};

template <class T>
using mapped_vector = std::vector<T, mapped<T>>;
/// The addresses of a run's instructions, in order.
using instructions = mapped_vector<address>;

/// How a run gets to one of its instructions: by breakpoints, and from the last of them by single steps.
struct way {
  std::size_t landmark = 0;   ///< first to this one; 0: none
  std::size_t breakpoint = 0; ///< then to this one; 0: none
  std::size_t times = 0;      ///< how often it is met from there on
  std::size_t stops = 0;      ///< of the whole way
  std::size_t begin_of_steps() const noexcept { return std::max(landmark, breakpoint); }
};

/// Whether it is an instruction of the kernel's own code in this process (the vdso), which reads the clock
/// once more where the kernel has just changed it: how often a run comes there is not known beforehand.
bool reads_the_clock(address where);

/// The way to each instruction of a run that takes the fewest stops.
mapped_vector<way> ways_through(const instructions& trace);

} // namespace stepping
