// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What a pool says, and what it leaves alone, where the system gives no more: descriptors, processes, memory.
#include "interrupt/child.hpp"
#include "process/open_descriptors.hpp"
#include "process/subject.hpp"

#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <grp.h>
#include <sys/resource.h>

namespace {

using namespace process_test;
using lastcall::pool_errc;

constexpr std::size_t megabyte = std::size_t{1} << 20U;

/// A limit of this or another process, until the end of this object.
class lowered {
public:
  lowered(int what, rlim_t to, pid_t of = 0) : what_{what}, of_{of} {
    ::prlimit(of_, kind(), nullptr, &before_);
    rlimit now = before_;
    now.rlim_cur = to;
    EXPECT_EQ(::prlimit(of_, kind(), &now, nullptr), 0);
  }
  ~lowered() { ::prlimit(of_, kind(), &before_, nullptr); }
  lowered(const lowered&) = delete;
  lowered& operator=(const lowered&) = delete;

private:
  __rlimit_resource kind() const { return static_cast<__rlimit_resource>(what_); }
  int what_;
  pid_t of_;
  rlimit before_{};
};

std::string without_pid(std::string text) {
  if (const auto from = text.find(" (pid "); from != std::string::npos)
    text.erase(from, text.find(')', from) + 1 - from);
  return text;
}

std::string error_of_life(lastcall::process_source& from, std::size_t workers) {
  try {
    pool_of_subjects pool{from, {.workers = workers, .start_within = 10s}};
    EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
    return {};
  } catch (const std::exception& error) {
    return without_pid(error.what());
  }
}

class Limits : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
};

TEST_F(Limits, OfDescriptorsInTheManagerNameTheCallThatMetThem) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer of undefined behaviour needs a descriptor to look at objects";
#endif
  lastcall::zygote nursery;
  const int before = open_descriptors();
  int room = 0;
  for (; room < 40; ++room) {
    std::string said;
    {
      const lowered limit{RLIMIT_NOFILE, static_cast<rlim_t>(before + room)};
      said = error_of_life(nursery, 3);
    }
    EXPECT_EQ(open_descriptors(), before) << room << ": " << said;
    if (said.empty()) break;
    EXPECT_NE(said.find("): Too many open files"), std::string::npos) << room << ": " << said;
  }
  EXPECT_GE(room, 10) << "four for each worker, that there are no more of";
  EXPECT_LT(room, 40);
}

TEST_F(Limits, OfDescriptorsInTheZygoteAreToldByIt) {
  lastcall::zygote nursery;
  std::string said;
  int few = 3, told = 0;
  for (; few < 60; ++few) {
    {
      const lowered limit{RLIMIT_NOFILE, static_cast<rlim_t>(few), nursery.pid()};
      said = error_of_life(nursery, 1);
    }
    if (said.empty()) break;
    const bool without_any = said.find("has no descriptor for the order") != std::string::npos;
    EXPECT_TRUE(without_any || said.find("Too many open files") != std::string::npos) << few << ": " << said;
    told += without_any ? 0 : 1;
  }
  EXPECT_GE(told, 2) << "that of its certificate apart";
  EXPECT_LT(few, 60);
  EXPECT_EQ(error_of_life(nursery, 2), "") << "it goes on";
}

TEST_F(Limits, OfDescriptorsWhileAWorkerIsReplacedBreakThePoolWithTheCallsName) {
  a_pipe said, answer;
  lastcall::zygote nursery;
  pool_of_subjects pool{nursery, {.workers = 2}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto dies = pool.call<&subject::leave>(1);
  EXPECT_EQ(error_of([&] { dies.get(); }).code(), pool_errc::worker_ended);
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2) << "replaced";
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0 && fd < 1000; fd = ::dup(0)) taken.push_back(fd);
  const lowered limit{RLIMIT_NOFILE, static_cast<rlim_t>(taken.back() + 1)};
  auto second = pool.call<&subject::leave>(2);
  const auto error = error_of([&] { pool.call<&subject::last>().get(); });
  EXPECT_EQ(error_of([&] { second.get(); }).code(), pool_errc::worker_ended);
  EXPECT_EQ(error.code(), pool_errc::broken);
  EXPECT_NE(std::string{error.what()}.find("could not be replaced: "), std::string::npos) << error.what();
  EXPECT_NE(std::string{error.what()}.find("): Too many open files"), std::string::npos) << error.what();
  answer.put();
  EXPECT_EQ(busy.get(), 1) << "who was busy finishes";
  for (const int fd : taken) ::close(fd);
  EXPECT_TRUE(pool.stop().in_time);
  EXPECT_EQ(error_of_life(nursery, 2), "");
}

/// Runs `life` as a user that has no other process, who may have so many.
int as_another_user(const std::function<int()>& life) {
  return testing_child::run([&] {
    ::alarm(60);
    const auto nobodys = static_cast<uid_t>(1'000'000 + ::getppid()); // no other test's
    if (::setgroups(0, nullptr) != 0 || ::setresgid(nobodys, nobodys, nobodys) != 0 ||
        ::setresuid(nobodys, nobodys, nobodys) != 0)
      return 100;
    return life();
  });
}

TEST_F(Limits, OfProcessesNameTheCallThatMetThem) {
  if (::getuid() != 0) GTEST_SKIP() << "has to become a user without processes";
  std::vector<std::string> all;
  a_pipe told;
  for (rlim_t most = 1; most < 40; ++most) {
    const int status = as_another_user([&] {
      const lowered limit{RLIMIT_NPROC, most};
      std::string said;
      try {
        lastcall::zygote nursery;
        said = error_of_life(nursery, 1);
      } catch (const std::exception& error) {
        said = error.what();
      }
      said += '\n';
      const auto size = static_cast<ssize_t>(said.size());
      return ::write(told.ends[1], said.data(), said.size()) == size ? 0 : 1;
    });
    ASSERT_TRUE(testing_child::exited_with(status, 0)) << status;
    char text[300]{};
    ASSERT_GT(::read(told.ends[0], text, sizeof text - 1), 0);
    all.emplace_back(text, std::string{text}.size() - 1);
    if (all.back().empty()) break;
  }
  for (const auto& said : all)
    if (&said != &all.back()) {
      EXPECT_NE(said.find(": Resource temporarily unavailable"), std::string::npos) << said;
    }
  EXPECT_EQ(all.back(), "");
#if !LASTCALL_CONFIG_THREAD_SANITIZER
  const std::string none = ": Resource temporarily unavailable";
  EXPECT_EQ(all, (std::vector<std::string>{
                     "fork (a zygote)" + none, "pthread_create (a pool's thread)" + none,
                     "worker 0 was not started: fork" + none,
                     "worker 0 did not start: pthread_create (a worker's lifeline)" + none,
                     "worker 0 did not start: pthread_create (to start the herald)" + none, ""}));
#endif
}

TEST_F(Limits, OfProcessesWhileAWorkerIsReplacedBreakThePoolWithTheCallsName) {
  if (::getuid() != 0) GTEST_SKIP() << "has to become a user without processes";
  const int status = as_another_user([] {
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 1}};
    const lowered limit{RLIMIT_NPROC, 1, nursery.pid()};
    auto dies = pool.call<&subject::leave>(1);
    const auto error = error_of([&] { pool.call<&subject::last>().get(); });
    if (error_of([&] { dies.get(); }).code() != pool_errc::worker_ended) return 1;
    if (error.code() != pool_errc::broken) return 2;
    if (std::string{error.what()} != "worker: the pool is broken: worker 0 was not started: fork: Resource "
                                     "temporarily unavailable")
      return 3;
    return pool.stop().in_time ? 0 : 4;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

/// Has as much memory as it is told.
struct hungry {
  static std::size_t used() {
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
  int may_have(std::size_t more) {
    const rlimit limit{used() + more, RLIM_INFINITY};
    return ::setrlimit(RLIMIT_AS, &limit);
  }
  std::size_t size_of(const std::string& text) { return text.size(); }
  std::string make(std::size_t size) { return std::string(size, 'x'); }
  int pid() { return ::getpid(); }
};

class LimitsOfMemory : public Limits {
protected:
  void SetUp() override {
    Limits::SetUp();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "its own memory is without limit";
#endif
    pool.emplace(nursery, lastcall::worker_options{.workers = 1});
    first = pool->call<&hungry::pid>().get();
  }
  lastcall::zygote nursery;
  std::optional<lastcall::worker_pool<hungry>> pool;
  int first = 0;
};

TEST_F(LimitsOfMemory, InAWorkerFailTheCallWhoseResultIsTooLargeAndTheWorkerGoesOn) {
  for (const std::size_t few : {16U, 100U}) { // none for the string; for that, but not for its bytes
    ASSERT_EQ(pool->call<&hungry::may_have>(few * megabyte).get(), 0);
    const auto error = error_of([&] { pool->call<&hungry::make>(64 * megabyte).get(); });
    EXPECT_EQ(error.code(), pool_errc::call_failed);
    EXPECT_STREQ(error.what(), "std::bad_alloc");
    EXPECT_EQ(pool->call<&hungry::pid>().get(), first);
  }
}

TEST_F(LimitsOfMemory, InAWorkerFailTheCallWhoseArgumentsAreTooLargeToBeDecodedAndTheWorkerGoesOn) {
  ASSERT_EQ(pool->call<&hungry::may_have>(100 * megabyte).get(), 0);
  const auto error = error_of([&] { pool->call<&hungry::size_of>(std::string(64 * megabyte, 'x')).get(); });
  EXPECT_EQ(error.code(), pool_errc::call_failed);
  EXPECT_STREQ(error.what(), "std::bad_alloc");
  EXPECT_EQ(pool->call<&hungry::pid>().get(), first);
}

TEST_F(LimitsOfMemory, InAWorkerThatCannotEvenReadTheArgumentsEndItWhichIsSaid) {
  ASSERT_EQ(pool->call<&hungry::may_have>(16 * megabyte).get(), 0);
  const auto error = error_of([&] { pool->call<&hungry::size_of>(std::string(64 * megabyte, 'x')).get(); });
  EXPECT_EQ(error.code(), pool_errc::worker_ended);
  EXPECT_EQ(without_pid(error.what()), "worker 0 exited with status 70 during a call: no memory for a frame");
  EXPECT_EQ(pool->call<&hungry::size_of>(std::string(64 * megabyte, 'x')).get(), 64 * megabyte)
      << "its replacement has no such limit";
}

TEST_F(LimitsOfMemory, InTheManagerFailTheCallAndNoOther) {
  std::string large(64 * megabyte, 'x');
  {
    const lowered limit{RLIMIT_AS, hungry::used() + 16 * megabyte};
    EXPECT_THROW(pool->call<&hungry::size_of>(large), std::bad_alloc);
    EXPECT_EQ(pool->call<&hungry::pid>().get(), first) << "nothing was sent";
    const auto error = error_of([&] { pool->call<&hungry::make>(64 * megabyte).get(); });
    EXPECT_EQ(error.code(), pool_errc::worker_ended);
    // Killed by the pool, unless it has noticed first that nobody reads.
    EXPECT_NE(std::string{error.what()}.find(" during a call: no memory for a frame"), std::string::npos)
        << error.what();
    EXPECT_EQ(pool->call<&hungry::size_of>("few").get(), 3U);
  }
  EXPECT_EQ(pool->call<&hungry::make>(64 * megabyte).get().size(), 64 * megabyte);
}

} // namespace
