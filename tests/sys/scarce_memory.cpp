// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/scarce_memory.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr long plenty = std::numeric_limits<long>::max() / 2;
std::atomic<long> requests_left{plenty};

void* had(std::size_t size, std::size_t alignment = 16) noexcept {
  if (requests_left.fetch_sub(1) <= 0) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

} // namespace

void scarce_memory::allow(long requests) noexcept { requests_left = requests; }
long scarce_memory::refill() noexcept { return requests_left.exchange(plenty); }

[[gnu::noinline]] void* operator new(std::size_t size) { // inlined, they look mismatched to the compiler
  if (void* memory = had(size)) return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* memory = had(size, static_cast<std::size_t>(alignment))) return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return had(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
