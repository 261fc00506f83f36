// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/failure_text.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

struct odd {};

template <class Fn>
std::string text_of(Fn fail) {
  try {
    fail();
  } catch (...) {
    return lastcall::detail::failure_text();
  }
  return {};
}

TEST(FailureText, AStdExceptionSaysWhat) {
  EXPECT_EQ(text_of([] { throw std::runtime_error("disk full"); }), "disk full");
}

TEST(FailureText, CausesNestedInsideAreKept) {
  const auto fail = [] {
    try {
      throw std::runtime_error("no route");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("cannot connect"));
    }
  };
  EXPECT_EQ(text_of(fail), "cannot connect: no route");
}

TEST(FailureText, AnythingElseIsNamedByItsType) {
  EXPECT_EQ(text_of([] { throw 7; }), "exception of type int");
  EXPECT_EQ(text_of([] { throw odd{}; }), "exception of type (anonymous namespace)::odd");
}

} // namespace
