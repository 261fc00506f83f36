// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/adapters/cereal/cereal_codec.hpp>
#include <lastcall/process/worker_pool.hpp>
#include <lastcall/process/zygote.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <unistd.h>

namespace {

using lastcall::byte_buffer;
using lastcall::cereal_codec;

struct hit {
  std::string file;
  int line = 0;
  std::map<std::string, std::vector<double>> weights;
  std::variant<int, std::string> extra;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(file, line, weights, extra);
  }
  bool operator==(const hit&) const = default;
};

struct cannot {
  explicit cannot(int value = 0) : value{value} {}
  int value;
  template <class Archive>
  void save(Archive& /*to*/) const {
    throw std::runtime_error{"cannot be sent"};
  }
  template <class Archive>
  void load(Archive& /*from*/) {}
};

struct scanner {
  std::vector<hit> twice(const hit& one) { return {one, one}; }
  std::unique_ptr<hit> owned(const hit& one) { return std::make_unique<hit>(one); }
  int take(const cannot& one) { return one.value; }
  cannot give() { return cannot{1}; }
};

const hit an_example{"a.cpp", 12, {{"x", {1, 2.5}}}, "words"};

TEST(CerealCodec, CarriesTypesOfTheProgram) {
  ::alarm(60);
  lastcall::zygote nursery;
  lastcall::worker_pool<scanner, cereal_codec> pool{nursery, {.workers = 1}};
  EXPECT_EQ(pool.call<&scanner::twice>(an_example).get(), (std::vector{an_example, an_example}));
  EXPECT_EQ(*pool.call<&scanner::owned>(an_example).get(), an_example);
}

TEST(CerealCodec, AnArgumentOrResultThatCannotBeSerializedFailsItsCallOnly) {
  ::alarm(60);
  lastcall::zygote nursery;
  lastcall::worker_pool<scanner, cereal_codec> pool{nursery, {.workers = 1}};
  EXPECT_THROW(pool.call<&scanner::take>(cannot{1}), std::runtime_error);
  try {
    pool.call<&scanner::give>().get();
    ADD_FAILURE();
  } catch (const lastcall::pool_error& error) {
    EXPECT_EQ(error.code(), lastcall::pool_errc::call_failed);
    EXPECT_STREQ(error.what(), "cannot be sent");
  }
  EXPECT_EQ(pool.call<&scanner::twice>(an_example).get().size(), 2U);
}

TEST(CerealCodec, NamesBytesThatAreCutShortOrTooManyAndSurvivesRandomOnes) {
  byte_buffer bytes;
  cereal_codec::encode(bytes, an_example);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(cereal_codec::decode<hit>(bytes.view().first(size)), lastcall::codec_error);
  bytes.append("x", 1);
  EXPECT_THROW(cereal_codec::decode<hit>(bytes.view()), lastcall::codec_error);
  std::mt19937_64 random{4};
  for (int round = 0; round < 5000; ++round) {
    byte_buffer noise;
    for (std::size_t left = random() % 80; left > 0; --left) {
      const auto one = static_cast<unsigned char>(random() % 4 == 0 ? random() : 0);
      noise.append(&one, 1);
    }
    try {
      cereal_codec::decode<hit>(noise.view());
    } catch (const std::exception&) {
    }
  }
}

} // namespace
