// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/subject.hpp"

#include <lastcall/process/log_writer.hpp>

#include "process/log_output.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include <sys/mount.h>
#include <sys/stat.h>

namespace {

using namespace process_test;
using lastcall::log_writer;
using lastcall::raw_fd;

class Log : public testing::Test {
protected:
  void SetUp() override { ::alarm(110); }
  void TearDown() override { ::unlink(path); }
  raw_fd file() { return raw_fd::own(::open(path, O_WRONLY | O_APPEND | O_CLOEXEC)); }
  std::string content() const {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  char path[32] = "/tmp/lastcall-log-XXXXXX";
  int made = ::mkstemp(path);
  lastcall::zygote nursery;
};

TEST_F(Log, WritesEachRecordAsALine) {
  log_writer log{nursery, file()};
  EXPECT_TRUE(log.write("one"));
  EXPECT_TRUE(log.write("two\n"));
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(content(), "one\ntwo\n");
  EXPECT_TRUE(end.known);
  EXPECT_EQ(end.taken, 2U);
  EXPECT_EQ(end.written, 2U);
  ASSERT_TRUE(end.end);
  EXPECT_TRUE(end.end->success());
  EXPECT_FALSE(log.write("three")) << "it admits no more";
}

TEST_F(Log, OfEightWorkersIsWholeAfterAGracefulStop) {
  constexpr int workers = 8, each = 12'500;
  log_writer log{nursery, file()};
  {
    pool_of_subjects pool{nursery, {.workers = workers, .log = &log}};
    std::vector<std::vector<lastcall::reply<void, lastcall::plain_codec>>> replies;
    for (int from = 0; from < each; from += 2500)
      replies.push_back(pool.broadcast<&subject::log_many>(from, from + 2500));
    for (auto& round : replies)
      for (auto& one : round) one.get();
    EXPECT_TRUE(pool.stop().in_time);
  }
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.written, 100'000U);
  EXPECT_EQ(end.lost, 0U);
  std::map<int, int> next;
  std::ifstream in{path};
  std::size_t lines = 0;
  for (int worker = 0, number = 0; in >> worker >> number; ++lines)
    ASSERT_EQ(number, next[worker]++) << "of worker " << worker;
  EXPECT_EQ(lines, 100'000U);
  for (const auto& [worker, count] : next) EXPECT_EQ(count, each) << worker;
}

TEST_F(Log, AKilledWorkerLosesNothingThatItHadHandedOver) {
  log_writer log{nursery, file()};
  pool_of_subjects pool{nursery, {.workers = 1, .log = &log}};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.call<&subject::log>("handed over").get());
  pool.signal_worker(0, SIGKILL);
  pool.stop();
  EXPECT_EQ(log.close(deadline::after(long_enough)).written, 100U);
}

TEST_F(Log, ThatCannotBeWrittenHarmsNobodyAndSaysHowMuch) {
  log_writer log{nursery, raw_fd::own(::open("/dev/full", O_WRONLY | O_CLOEXEC)), {.keep = 1000}};
  pool_of_subjects pool{nursery, {.workers = 1, .log = &log}};
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(pool.call<&subject::log>(std::string(50, 'x')).get());
  EXPECT_TRUE(pool.stop().in_time);
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.taken, 500U);
  EXPECT_EQ(end.written, 0U);
  EXPECT_EQ(end.lost, 500U);
  EXPECT_EQ(end.error, std::errc::no_space_on_device);
  EXPECT_FALSE(end.torn);
}

TEST_F(Log, OfAWriterThatWasKilledSaysThatItIsNotKnown) {
  log_writer log{nursery, file()};
  while (log.pid() == 0) std::this_thread::yield();
  ::kill(log.pid(), SIGKILL);
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_FALSE(end.known);
  ASSERT_TRUE(end.end);
  EXPECT_EQ(describe(*end.end), "killed by SIGKILL");
  EXPECT_FALSE(log.write("for nobody"));
}

TEST_F(Log, RefusesARecordThatIsTooLong) {
  log_writer log{nursery, file()};
  EXPECT_FALSE(log.write(std::string(40'000, 'x')));
  EXPECT_TRUE(log.write(std::string(32'768, 'x')));
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.refused, 1U);
  EXPECT_EQ(content().size(), 32'769U);
}

// A file system with room for a part of it, which has more of it later.
TEST(LogOutput, FinishesWhatItHasBegunOnceThereIsRoom) {
  char where[] = "/tmp/lastcall-small-XXXXXX";
  ASSERT_NE(::mkdtemp(where), nullptr);
  if (::mount("none", where, "tmpfs", 0, "size=8k") != 0) {
    ::rmdir(where);
    GTEST_SKIP() << "no permission to mount";
  }
  const std::string filler = std::string{where} + "/filler", log = std::string{where} + "/log";
  const int other = ::open(filler.c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_EQ(::write(other, std::string(4096, 'f').data(), 4096), 4096);
  const int fd = ::open(log.c_str(), O_CREAT | O_RDWR, 0600);
  lastcall::detail::log_output out{fd, 100'000};
  const std::string record(999, 'r');
  for (int i = 0; i < 8; ++i) out.add(record);
  out.flush(); // 4096 bytes of 8000
  ::unlink(filler.c_str());
  ::close(other);
  const auto tally = out.finish();
  EXPECT_EQ(tally.error, ENOSPC);
  EXPECT_EQ(tally.written, 8U);
  EXPECT_EQ(tally.lost, 0U);
  struct stat found {};
  ::fstat(fd, &found);
  EXPECT_EQ(found.st_size, 8000);
  ::close(fd);
  ::umount2(where, MNT_DETACH);
  ::rmdir(where);
}

} // namespace
