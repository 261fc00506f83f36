// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A log on a disk that is full for a while: a small file system in a mount namespace of its own.
#include "process/subject.hpp"

#include <lastcall/process/log_writer.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace {

using namespace process_test;
using lastcall::log_writer;
using lastcall::raw_fd;

class FullDisk : public testing::Test {
protected:
  void SetUp() override {
    ::alarm(60);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/mnt", "tmpfs", 0, "size=64k") != 0)
      GTEST_SKIP() << "no permission to mount";
    const raw_fd filler = raw_fd::own(::open("/mnt/filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_EQ(::write(filler.number(), std::string(60 << 10, 'f').data(), 60 << 10), 60 << 10);
  }
  void TearDown() override { ::umount2("/mnt", MNT_DETACH); }
  static raw_fd file() {
    return raw_fd::own(::open("/mnt/log", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  }
  /// The file system is full, and the writer has met that: it waits for records again.
  static void wait_until_full(const log_writer& log) {
    for (struct stat found{}; found.st_size != 4096; std::this_thread::yield()) ::stat("/mnt/log", &found);
    const std::string call = "/proc/" + std::to_string(log.pid()) + "/syscall";
    for (long number = 0; number != SYS_recvmmsg; std::this_thread::yield()) std::ifstream{call} >> number;
  }
  static std::string record(int number) { return std::to_string(100 + number) + std::string(996, 'r'); }
  static std::string content() {
    std::ifstream in{"/mnt/log"};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  lastcall::zygote nursery;
};

TEST_F(FullDisk, WhatWasKeptIsWrittenOnceThereIsRoomAgain) {
  log_writer log{nursery, file()};
  std::string whole;
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(log.write(record(i)));
    whole += record(i) + '\n';
  }
  wait_until_full(log);
  ::unlink("/mnt/filler");
  EXPECT_TRUE(log.write(record(30)));
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.taken, 31U);
  EXPECT_EQ(end.written, 31U);
  EXPECT_EQ(end.lost, 0U);
  EXPECT_FALSE(end.torn);
  EXPECT_EQ(end.error, std::errc::no_space_on_device);
  EXPECT_EQ(content(), whole + record(30) + '\n');
}

TEST_F(FullDisk, WhatDoesNotFitIntoWhatIsKeptIsLostWholeAndCounted) {
  log_writer log{nursery, file(), {.keep = 3000}};
  pool_of_subjects pool{nursery, {.workers = 1, .log = &log}};
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(pool.call<&subject::log>(record(i)).get());
  wait_until_full(log);
  EXPECT_TRUE(pool.stop().in_time) << "it harms nobody";
  ::unlink("/mnt/filler");
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.taken, 30U);
  EXPECT_EQ(end.written + end.lost, 30U);
  EXPECT_GE(end.written, 5U);
  EXPECT_FALSE(end.torn);
  const auto text = content();
  EXPECT_EQ(text.size(), end.written * 1000);
  for (std::size_t at = 0; at + 1000 <= text.size(); at += 1000)
    EXPECT_EQ(text.substr(at + 3, 997), std::string(996, 'r') + '\n') << at;
}

TEST_F(FullDisk, ThatStaysFullTearsAtMostTheLastRecordAndSaysSo) {
  log_writer log{nursery, file()};
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(log.write(record(i)));
  const auto end = log.close(deadline::after(long_enough));
  EXPECT_EQ(end.written, 4U);
  EXPECT_EQ(end.lost, 26U);
  EXPECT_TRUE(end.torn);
  EXPECT_EQ(end.error, std::errc::no_space_on_device);
  EXPECT_EQ(content().size(), 4096U);
}

} // namespace
