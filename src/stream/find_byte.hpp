// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lastcall::detail {

/// Where `wanted` stands first in these bytes; null where it does not.
///
/// std::memchr for the short distances between the ends of lines: a call into libc, and a jump for each size
/// that libc tells apart, cost as much there as the search does. What is not in the first two blocks is left
/// to libc, whose loop is the better one for long lines.
inline const char* find_byte(const char* at, std::size_t size, char wanted) noexcept {
#if defined(__SSE2__)
  // By the compiler's own vectors: its header of intrinsics is none of the standard's.
  using vector [[gnu::vector_size(16)]] = char;
  constexpr std::size_t block = 64, part = sizeof(vector);
  const vector all = vector{} + wanted;
  for (int blocks = 0; blocks < 2 && size >= block; ++blocks, at += block, size -= block) {
    std::uint64_t equal = 0; // a bit for each byte of the block
#pragma GCC unroll 4
    for (std::size_t i = 0; i < block; i += part) {
      vector bytes;
      std::memcpy(&bytes, at + i, part);
      const auto bits = static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(vector(bytes == all)));
      equal |= std::uint64_t{bits} << i;
    }
    if (equal != 0) return at + __builtin_ctzll(equal);
  }
#endif
  return size == 0 ? nullptr : static_cast<const char*>(std::memchr(at, wanted, size));
}

} // namespace lastcall::detail
