// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Workers that end in the middle, at each stage of a call's trip, and what becomes of that call and of
// others.
#include "process/subject.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <thread>

namespace {

using namespace process_test;
using lastcall::pool_errc;

/// A value that kills its process when it is put into bytes, or taken out of them, in a worker.
struct bomb {
  enum class when : int { never, decoding, encoding } armed = when::never;
};

/// plain_codec, with bombs that go off.
struct exploding_codec {
  template <class... Values>
  static void encode(lastcall::byte_buffer& into, const Values&... values) {
    [[maybe_unused]] const auto look = [](const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, bomb>)
        if (value.armed == bomb::when::encoding && lastcall::this_worker::running()) subject::crash();
    };
    (look(values), ...);
    lastcall::plain_codec::encode(into, values...);
  }
  template <class... Values>
  static std::tuple<Values...> decode(std::span<const std::byte> from) {
    auto values = lastcall::plain_codec::decode<Values...>(from);
    [[maybe_unused]] const auto look = [](const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, bomb>)
        if (value.armed == bomb::when::decoding && lastcall::this_worker::running()) subject::crash();
    };
    std::apply([&](const auto&... each) { (look(each), ...); }, values);
    return values;
  }
};

struct bombed {
  bomb pass(bomb one) { return one; }
  bomb make(bool armed) { return {armed ? bomb::when::encoding : bomb::when::never}; }
  std::string large() { return std::string(24U << 20U, 'x'); }
  int plain() { return 1; }
  int pid() { return ::getpid(); }
};

class Crash : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  static std::string shown(const lastcall::pool_error& error) {
    std::string text = error.what();
    if (const auto from = text.find(" (pid "); from != std::string::npos)
      text.erase(from, text.find(')', from) + 1 - from);
    if (const auto core = text.find(" (core dumped)"); core != std::string::npos) text.erase(core, 14);
    return text;
  }
  a_pipe said, answer;
  lastcall::zygote nursery;
};

TEST_F(Crash, InTheCallFailsThatCallOnlyAndSaysHow) {
  pool_of_subjects pool{nursery, {.workers = 2}};
  auto other = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  const auto error = error_of([&] { pool.call<&subject::die>(SIGUSR1).get(); });
  EXPECT_EQ(error.code(), pool_errc::worker_ended);
  ASSERT_TRUE(error.end());
  EXPECT_EQ(describe(*error.end()), "killed by SIGUSR1");
  EXPECT_NE(std::string{error.what()}.find("killed by SIGUSR1 during a call"), std::string::npos)
      << error.what();
  answer.put();
  EXPECT_EQ(other.get(), 1);
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
}

TEST_F(Crash, ByExitIsTold) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  const auto error = error_of([&] { pool.call<&subject::leave>(4).get(); });
  EXPECT_EQ(shown(error), "worker 0 exited with status 4 during a call");
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
}

TEST_F(Crash, WhileArgumentsAreDecodedOrAResultIsEncodedFailsThatCallOnly) {
  lastcall::worker_pool<bombed, exploding_codec> pool{nursery, {.workers = 1}};
  EXPECT_EQ(shown(error_of([&] { pool.call<&bombed::pass>(bomb{bomb::when::decoding}).get(); })),
            "worker 0 killed by SIGABRT during a call");
  EXPECT_EQ(shown(error_of([&] { pool.call<&bombed::make>(true).get(); })),
            "worker 0 killed by SIGABRT during a call");
  EXPECT_EQ(pool.call<&bombed::plain>().get(), 1);
}

TEST_F(Crash, BeforeTheCallWasReadFailsItOrHasAnotherWorkerMakeIt) {
  for (const bool again : {false, true}) {
    pool_of_subjects pool{
        nursery, {.workers = 1, .on_crash = again ? lastcall::on_crash::retry : lastcall::on_crash::fail}};
    pool.signal_worker(0, SIGSTOP); // it does not read
    auto sum = pool.call<&subject::add>(1, 1);
    pool.signal_worker(0, SIGKILL);
    if (again)
      EXPECT_EQ(sum.get(), 2);
    else
      EXPECT_EQ(shown(error_of([&] { sum.get(); })), "worker 0 killed by SIGKILL during a call");
  }
}

TEST_F(Crash, InTheMiddleOfSendingTheResultFailsThatCallOnly) {
  // The manager's thread cannot be held up from here, so the moment is tried for at many points.
  lastcall::worker_pool<bombed> pool{nursery, {.workers = 1, .replacements = 100}};
  int failed = 0;
  for (int i = 0; i < 20; ++i) {
    auto large = pool.call<&bombed::large>();
    std::this_thread::sleep_for(std::chrono::milliseconds{i * 3});
    pool.signal_worker(0, SIGKILL);
    try {
      EXPECT_EQ(large.get().size(), 24U << 20U);
    } catch (const lastcall::pool_error& error) {
      EXPECT_EQ(shown(error), "worker 0 killed by SIGKILL during a call");
      ++failed;
    }
  }
  int answer = 0;
  for (int i = 0; i < 3 && answer == 0; ++i) try { // the last signal may hit the worker only in its next call
      answer = pool.call<&bombed::plain>().get();
    } catch (const lastcall::pool_error&) {
    }
  EXPECT_EQ(answer, 1);
  EXPECT_GT(failed, 0);
}

TEST_F(Crash, AfterTheResultWasSentLosesNothing) {
  // The signal may hit the worker only in its next call, which is made again then.
  pool_of_subjects pool{
      nursery, {.workers = 1, .on_crash = lastcall::on_crash::retry, .tries = 3, .replacements = 100}};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1);
    pool.signal_worker(0, SIGKILL);
  }
}

TEST_F(Crash, ACallIsTriedAgainAsOftenAsConfigured) {
  char file[] = "/tmp/lastcall-die-once-XXXXXX";
  ::close(::mkstemp(file));
  ::unlink(file);
  pool_of_subjects pool{nursery, {.workers = 1, .on_crash = lastcall::on_crash::retry, .tries = 2}};
  EXPECT_EQ(pool.call<&subject::die_once>(std::string{file}).get(), 7);
  EXPECT_EQ(error_of([&] { pool.call<&subject::die>(SIGUSR1).get(); }).code(), pool_errc::worker_ended);
  ::unlink(file);
}

TEST_F(Crash, AReplacementKnowsTheLastBroadcastOfEachMethod) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  for (auto& each : pool.broadcast<&subject::set>(1)) each.get();
  for (auto& each : pool.broadcast<&subject::set>(42)) each.get();
  error_of([&] { pool.call<&subject::leave>(1).get(); });
  EXPECT_EQ(pool.call<&subject::last>().get(), 42);
}

TEST_F(Crash, TooManyBreakThePoolAndEveryWaitingCallSaysSo) {
  pool_of_subjects pool{nursery, {.workers = 1, .replacements = 2}};
  for (int i = 0; i < 2; ++i) error_of([&] { pool.call<&subject::leave>(i).get(); });
  auto last = pool.call<&subject::leave>(9);
  auto queued = pool.call<&subject::last>();
  EXPECT_EQ(error_of([&] { last.get(); }).code(), pool_errc::worker_ended);
  const auto error = error_of([&] { queued.get(); });
  EXPECT_EQ(error.code(), pool_errc::broken);
  EXPECT_NE(std::string{error.what()}.find("exited with status 9"), std::string::npos) << error.what();
  EXPECT_EQ(error_of([&] { pool.call<&subject::last>(); }).code(), pool_errc::broken);
  EXPECT_TRUE(pool.stop().in_time);
}

TEST_F(Crash, OfTheZygoteLeavesTheWorkersAndTheirEndsAreStillSeen) {
  pool_of_subjects pool{nursery, {.workers = 2}};
  ASSERT_EQ(::kill(nursery.pid(), SIGKILL), 0);
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  const auto error = error_of([&] { pool.call<&subject::die>(SIGKILL).get(); });
  EXPECT_EQ(error.code(), pool_errc::worker_ended) << error.what();
  std::error_code last; // the other worker may take some until it is seen that no more come
  while (!last) last = error_of([&] { EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2); }).code();
  EXPECT_EQ(last, pool_errc::broken);
  EXPECT_TRUE(pool.stop().in_time);
}

TEST_F(Crash, IsReportedToWhoeverWantsToKnow) {
  std::mutex lock;
  std::vector<std::string> told;
  {
    lastcall::worker_options options{.workers = 1};
    options.on_end = [&](const lastcall::worker_end& end) {
      const std::scoped_lock held{lock};
      told.push_back(describe(end.end) + (end.asked ? ", asked" : ""));
      throw std::runtime_error{"contained"};
    };
    pool_of_subjects pool{nursery, options};
    error_of([&] { pool.call<&subject::leave>(4).get(); });
    EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  }
  EXPECT_EQ(told, (std::vector<std::string>{"exited with status 4", "exited with status 0, asked"}));
}

} // namespace
