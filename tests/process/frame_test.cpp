// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Frames out of bytes that came in pieces, and bytes that are none.
#include "process/frame.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using lastcall::detail::frame_fault;
using lastcall::detail::frame_head;
using lastcall::detail::frame_inbox;
using lastcall::detail::frame_kind;
using progress = frame_inbox::progress;

constexpr std::uint64_t limit = 100'000;

std::string frame_of(const std::string& body, frame_head head = {}) {
  if (head.kind == frame_kind{}) head.kind = frame_kind::call;
  head.size = body.size();
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes + body;
}

/// What an inbox makes of these bytes, at most `most` at a time: the bodies of the frames, and how it ended.
struct outcome {
  std::vector<std::string> bodies;
  progress last = progress::more;
  frame_fault fault = frame_fault::none;
};
outcome read(std::string_view bytes, std::size_t most) {
  frame_inbox inbox{limit};
  outcome result;
  for (;;) {
    const auto room = inbox.room();
    const std::size_t some = std::min({room.size(), most, bytes.size()});
    std::memcpy(room.data(), bytes.data(), some);
    bytes.remove_prefix(some);
    result.last = inbox.came(some);
    while (result.last == progress::whole) {
      const auto body = inbox.body().view();
      result.bodies.emplace_back(reinterpret_cast<const char*>(body.data()), body.size());
      result.last = inbox.next();
    }
    if (result.last == progress::more) continue;
    result.fault = inbox.fault();
    return result;
  }
}

TEST(Frame, ComesWholeHoweverItIsCutIntoPieces) {
  const std::vector<std::string> bodies{"", "a", std::string(5000, 'b'), "", std::string(90'000, 'c'), "d"};
  std::string bytes;
  for (const auto& each : bodies) bytes += frame_of(each);
  for (const std::size_t most : {1UL, 2UL, 31UL, 32UL, 33UL, 4095UL, 4096UL, 100'000UL}) {
    const auto result = read(bytes, most);
    EXPECT_EQ(result.bodies, bodies) << most;
    EXPECT_EQ(result.last, progress::end);
  }
}

TEST(Frame, CutShortAnywhereIsNamed) {
  const std::string bytes = frame_of("some words");
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_EQ(read(bytes.substr(0, size), 100).fault, frame_fault::cut_short) << size;
}

TEST(Frame, ThatIsNoneIsNamedBeforeMemoryIsTaken) {
  const auto fault = [](auto change) {
    frame_head head;
    head.kind = frame_kind::call;
    head.size = 10;
    change(head);
    std::string bytes(sizeof head, '\0');
    std::memcpy(bytes.data(), &head, sizeof head);
    return read(bytes, 100).fault;
  };
  EXPECT_EQ(fault([](frame_head& head) { head.mark ^= 1; }), frame_fault::wrong_mark);
  EXPECT_EQ(fault([](frame_head& head) { ++head.version; }), frame_fault::wrong_version);
  EXPECT_EQ(fault([](frame_head& head) { head.kind = frame_kind{99}; }), frame_fault::unknown_kind);
  EXPECT_EQ(fault([](frame_head& head) { head.size = limit + 1; }), frame_fault::too_long);
  EXPECT_EQ(fault([](frame_head& head) { head.size = ~std::uint64_t{0}; }), frame_fault::too_long);
}

TEST(Frame, RandomBytesAreRefused) {
  std::mt19937_64 random{1}; // the same bytes every time
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 300 + 1, '\0');
    for (char& each : bytes) each = static_cast<char>(random());
    const auto result = read(bytes, random() % 64 + 1);
    EXPECT_TRUE(result.bodies.empty());
    EXPECT_EQ(result.last, progress::fault);
  }
}

TEST(Frame, DamagedAnywhereInItsHeadIsRefusedOrIsAnotherFrame) {
  std::mt19937_64 random{2};
  const std::string whole = frame_of("body");
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = whole;
    bytes[random() % sizeof(frame_head)] ^= static_cast<char>(1U << random() % 8);
    const auto result = read(bytes, random() % 64 + 1);
    EXPECT_NE(result.last, progress::more);
    for (const auto& body : result.bodies) EXPECT_LE(body.size(), 4U);
  }
}

} // namespace
