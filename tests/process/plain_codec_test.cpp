// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/plain_codec.hpp>

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace {

using lastcall::byte_buffer;
using lastcall::plain_codec;

struct point {
  int x = 0, y = 0;
  bool operator==(const point&) const = default;
};

template <class... Values>
std::tuple<Values...> there_and_back(const Values&... values) {
  byte_buffer bytes;
  plain_codec::encode(bytes, values...);
  return plain_codec::decode<Values...>(bytes.view());
}

template <class V>
void expect_kept(const V& value) {
  EXPECT_EQ(std::get<0>(there_and_back(value)), value);
}

TEST(PlainCodec, KeepsTheStandardLibrarysValues) {
  expect_kept(42);
  expect_kept(-1.5);
  expect_kept(true);
  expect_kept(std::string{"a\0b", 3});
  expect_kept(std::string{});
  expect_kept(std::vector<int>{1, 2, 3});
  expect_kept(std::vector<bool>{true, false});
  expect_kept(std::vector<std::string>{"a", "", "b"});
  expect_kept(std::map<std::string, std::vector<int>>{{"one", {1}}, {"none", {}}});
  expect_kept(std::set<int>{3, 1, 2});
  expect_kept(std::pair{1, std::string{"b"}});
  expect_kept(std::tuple{1, std::string{"b"}, 2.5});
  expect_kept(std::optional<std::string>{"there"});
  expect_kept(std::optional<std::string>{});
  expect_kept(point{1, 2});
  expect_kept(std::vector<point>{{1, 2}, {3, 4}});
  EXPECT_EQ((there_and_back(1, std::string{"two"}, 3.0)), (std::tuple{1, std::string{"two"}, 3.0}));
}

TEST(PlainCodec, NamesBytesThatAreCutShortOrTooMany) {
  byte_buffer bytes;
  plain_codec::encode(bytes, std::vector<std::string>{"one", "two"}, 3);
  using both = std::tuple<std::vector<std::string>, int>;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW((plain_codec::decode<std::vector<std::string>, int>(bytes.view().first(size))),
                 lastcall::codec_error);
  EXPECT_THROW(plain_codec::decode<int>(bytes.view()), lastcall::codec_error);
  EXPECT_EQ((plain_codec::decode<std::vector<std::string>, int>(bytes.view())), (both{{"one", "two"}, 3}));
}

TEST(PlainCodec, TakesNoMemoryForALengthThatIsNotThere) {
  byte_buffer bytes;
  plain_codec::encode(bytes, std::uint64_t{1} << 60U);
  EXPECT_THROW(plain_codec::decode<std::string>(bytes.view()), lastcall::codec_error);
  EXPECT_THROW(plain_codec::decode<std::vector<long>>(bytes.view()), lastcall::codec_error);
  EXPECT_THROW(plain_codec::decode<std::vector<std::string>>(bytes.view()), lastcall::codec_error);
}

TEST(PlainCodec, RandomBytesMakeValuesOrAnErrorAndNothingElse) {
  std::mt19937_64 random{3};
  using value = std::map<std::string, std::vector<std::optional<int>>>;
  for (int round = 0; round < 5000; ++round) {
    byte_buffer bytes;
    for (std::size_t left = random() % 80; left > 0; --left) {
      const auto one = static_cast<unsigned char>(random() % 4 == 0 ? random() : 0);
      bytes.append(&one, 1);
    }
    try {
      plain_codec::decode<value>(bytes.view());
    } catch (const lastcall::codec_error&) {
    }
  }
}

} // namespace
