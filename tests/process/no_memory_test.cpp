// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when memory runs out in the manager, in a pool's life: this program's own operator new refuses
// from the N-th request on, N = 0, 1, 2, …, until a whole life needs fewer. Every call has an answer, nothing
// that was started is left, and the next pool is whole. (A refused allocation once ended the manager: the
// text of an error was made on the pool's thread, which may not throw.)
#include "process/subject.hpp"
#include "sys/scarce_memory.hpp"

#include <gtest/gtest.h>

#include <new>
#include <system_error>
#include <vector>

namespace {

using namespace process_test;
using lastcall::stop_step;

/// How many calls were accepted, and how many had an answer.
struct tally {
  int accepted = 0, answered = 0;
};

void live(lastcall::zygote& nursery, int nothing, tally& of) {
  const auto answered = [&](auto& reply) {
    ++of.accepted;
    if (!reply.wait_until(deadline::after(long_enough))) return;
    ++of.answered;
    try {
      reply.get();
    } catch (const lastcall::pool_error&) {
    } catch (const std::bad_alloc&) {
    }
  };
  pool_of_subjects pool{
      nursery,
      {.workers = 2, .plan = {stop_step::ask(1s), stop_step::term(1s), stop_step::kill(long_enough)}}};
  auto sum = pool.call<&subject::add>(1, 1);
  answered(sum);
  for (auto& each : pool.broadcast<&subject::set>(42)) answered(each);
  auto dies = pool.call<&subject::leave>(3);
  auto late = pool.call_within<&subject::meet>(deadline::after(1ms), -1, -1);
  answered(dies);
  answered(late);
  auto wait = pool.call<&subject::wait_for_stop>(nothing);
  auto more = pool.call<&subject::wait_for_stop>(nothing);
  auto queued = pool.call<&subject::last>();
  auto limited = pool.call_within<&subject::last>(deadline::after(1ms));
  answered(limited);
  EXPECT_TRUE(pool.stop().in_time);
  answered(wait);
  answered(more);
  answered(queued);
}

long run_with(lastcall::zygote& nursery, int nothing, long few) {
  ::alarm(60);
  tally of;
  scarce_memory::allow(few);
  try {
    live(nursery, nothing, of);
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  } catch (const lastcall::pool_error&) {
  }
  const long unused = scarce_memory::refill();
  EXPECT_EQ(of.answered, of.accepted) << few;
  return unused;
}

TEST(NoMemoryForAPool, WhereverItRunsOutEveryCallHasAnAnswerAndTheNextPoolIsWhole) {
  const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  lastcall::zygote nursery;
  const auto run = [&](long few) { return run_with(nursery, nothing, few); };
  const long enough = scarce_memory::until_there_is_enough(2000, run, [&](long few) {
    if (few % 10 != 0) return;
    pool_of_subjects pool{nursery, {.workers = 1}};
    EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  });
  EXPECT_GT(enough, 50);
}

} // namespace
