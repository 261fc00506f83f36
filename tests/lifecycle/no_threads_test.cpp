// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when threads run out: this program's own pthread_create, which std::thread and the library
// both reach, refuses all but the first few.
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/scripted.hpp"

#include <lastcall/interrupt/io.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <system_error>

#include <cerrno>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

namespace {
std::atomic<int> threads_left{std::numeric_limits<int>::max()};
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*),
                              void* argument) {
  using function = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<function>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  return real(thread, how, run, argument);
}

namespace {

using namespace std::chrono_literals;
using lifecycle_test::diary;
using lifecycle_test::scripted;

TEST(NoThreads, AreNoticedBeforeTheFirstStartAndTheApplicationCanRunLater) {
  for (int few = 0; few < 2; ++few) { // the stopper, the herald
    diary log;
    lastcall::application app{"shop"};
    app.add<scripted>("db", log);
    threads_left = few;
    EXPECT_THROW(app.run_for(0ms), std::system_error) << few;
    EXPECT_EQ(log.text(), "");
    threads_left = std::numeric_limits<int>::max();
    EXPECT_EQ(app.run_for(0ms), 0);
    EXPECT_EQ(log.text(), "+db -db");
  }
}

TEST(NoThreads, TheErrorSaysWhatTheThreadWasFor) {
  lastcall::application app{"shop"};
  threads_left = 0;
  try {
    app.run_for(0ms);
    FAIL() << "ran without a thread";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string{error.what()}.find("no thread can be had to run the stops on"), std::string::npos);
    EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
  }
}

[[noreturn]] void abandon_one_without_spare_threads() {
  alarm(30);
  diary log;
  lastcall::application_options options{.grace = 20ms};
  options.on_report = [&](const lastcall::report& what) {
    std::fprintf(stderr, "%s; %s", log.text().c_str(), what.failures.at(0).c_str());
  };
  lastcall::application app{"shop", options};
  app.add<scripted>("a", log);
  app.add<scripted>("b", log, nullptr, [](auto&) { lastcall::io::sleep_for(1h); });
  threads_left = 2;
  std::exit(app.run_for(0ms));
}

TEST(NoThreads, AfterAnAbandonmentTheOthersAreStoppedOnTheMainThread) {
  EXPECT_EXIT(abandon_one_without_spare_threads(), testing::ExitedWithCode(75),
              "^\\+a \\+b -b -a; no thread can be had");
}

} // namespace
