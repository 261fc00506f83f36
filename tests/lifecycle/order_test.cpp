// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/order.hpp>

#include <gtest/gtest.h>

namespace {

using lastcall::order;
using indices = std::vector<std::size_t>;

std::string complaint(const order& o) {
  try {
    static_cast<void>(o.sorted());
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "none";
}

TEST(Order, NothingSortsToNothing) { EXPECT_EQ(order{}.sorted(), indices{}); }

TEST(Order, WithoutArrowsItIsTheOrderOfAdding) {
  order o;
  for (const auto* name : {"c", "a", "b"}) o.add(name);
  EXPECT_EQ(o.sorted(), (indices{0, 1, 2}));
}

TEST(Order, WhatIsNeededComesFirst) {
  order o;
  const auto http = o.add("http"), db = o.add("db"), cache = o.add("cache");
  o.after(http, db);
  o.after(http, cache);
  o.after(cache, db);
  EXPECT_EQ(o.sorted(), (indices{db, cache, http}));
}

TEST(Order, OfTwoThatMayComeNextTheOneAddedFirstDoes) {
  order o;
  const auto late = o.add("late"), a = o.add("a"), b = o.add("b"), root = o.add("root");
  o.after(late, b);
  o.after(a, root);
  EXPECT_EQ(o.sorted(), (indices{b, late, root, a}));
}

TEST(Order, SayingAnArrowTwiceIsHarmless) {
  order o;
  const auto a = o.add("a"), b = o.add("b");
  o.after(a, b);
  o.after(a, b);
  EXPECT_EQ(o.needs(a).size(), 1u);
  EXPECT_EQ(o.sorted(), (indices{b, a}));
}

TEST(Order, ACircleIsNamedWithoutThoseThatOnlyLeadIntoIt) {
  order o;
  const auto entry = o.add("entry"), a = o.add("a"), b = o.add("b"), free = o.add("free");
  o.after(entry, a);
  o.after(a, free);
  o.after(a, b);
  o.after(b, a);
  EXPECT_EQ(complaint(o), "the components wait for each other in a circle: a → b → a");
}

TEST(Order, OneThatWaitsForItselfIsACircleOfOne) {
  order o;
  const auto a = o.add("a");
  o.after(a, a);
  EXPECT_EQ(complaint(o), "the components wait for each other in a circle: a → a");
}

TEST(Order, ANameIsGivenOnceAndIsNotEmpty) {
  order o;
  o.add("db");
  EXPECT_THROW(o.add("db"), std::logic_error);
  EXPECT_THROW(o.add(""), std::logic_error);
  EXPECT_THROW(o.after(0, 7), std::logic_error);
  EXPECT_EQ(o.size(), 1u);
}

TEST(Order, AThousandInALineAreSorted) {
  order o;
  for (std::size_t i = 0; i < 1000; ++i) o.add(std::to_string(i));
  for (std::size_t i = 0; i + 1 < 1000; ++i) o.after(i, i + 1);
  const auto result = o.sorted();
  EXPECT_EQ(result.front(), 999u);
  EXPECT_EQ(result.back(), 0u);
}

} // namespace
