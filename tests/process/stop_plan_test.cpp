// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/stop_plan.hpp>

#include "process/executable_search.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using lastcall::stop_plan;
using lastcall::stop_step;

TEST(StopPlan, GivesEachStepItsShareOfATimeThatIsTooShort) {
  constexpr stop_plan plan{stop_step::ask(6s), stop_step::term(3s), stop_step::kill(1s)};
  static_assert(plan.whole() == 10s);
  EXPECT_EQ(plan.share(0, 1h), 6s);
  EXPECT_EQ(plan.share(0, 1s), 600ms);
  EXPECT_EQ(plan.share(1, 1s), 300ms);
  EXPECT_EQ(plan.share(2, 1s), 100ms);
  EXPECT_EQ(plan.share(2, 0s), 0s);
}

TEST(ExecutableSearch, LooksWhereAShellWould) {
  using lastcall::detail::places_of;
  using places = std::vector<std::string>;
  EXPECT_EQ(places_of("ls", "/bin:/usr/bin"), (places{"/bin/ls", "/usr/bin/ls"}));
  EXPECT_EQ(places_of("ls", ":/bin:"), (places{"./ls", "/bin/ls", "./ls"}));
  EXPECT_EQ(places_of("a/b", "/bin"), places{"a/b"});
  EXPECT_EQ(places_of("", "/bin"), places{});
}

} // namespace
