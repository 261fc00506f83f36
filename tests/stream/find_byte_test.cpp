// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/find_byte.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

namespace {

using lastcall::detail::find_byte;

// Each search has memory of exactly its size, so that AddressSanitizer sees one that looks beyond it.
TEST(FindByte, FindsTheFirstWhereverItStandsAndLooksNoFurther) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::unique_ptr<char[]> bytes{new char[size]};
    std::fill_n(bytes.get(), size, 'x');
    EXPECT_EQ(find_byte(bytes.get(), size, '\n'), nullptr) << size;
    for (std::size_t at = size; at-- > 0;) {
      bytes[at] = '\n'; // and all behind it
      EXPECT_EQ(find_byte(bytes.get(), size, '\n'), bytes.get() + at) << size;
    }
  }
}

TEST(FindByte, KnowsBytesWhoseHighestBitIsSet) {
  const std::string bytes = std::string(70, '\x7f') + '\xff';
  EXPECT_EQ(find_byte(bytes.data(), bytes.size(), '\xff'), bytes.data() + 70);
  EXPECT_EQ(find_byte(bytes.data(), bytes.size(), '\0'), nullptr);
}

TEST(FindByte, OfNothingIsNowhere) { EXPECT_EQ(find_byte(nullptr, 0, 'x'), nullptr); }

} // namespace
