// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/random_moments.hpp"

#include <csignal>
#include <string>
#include <thread>

#include <sys/ioctl.h>
#include <unistd.h>

using namespace lastcall;

TEST(IoRead, ReturnsWhatIsThereAndZeroAtTheEnd) {
  a_pipe p;
  ASSERT_EQ(::write(p.in(), "abc", 3), 3);
  char got[8]{};
  EXPECT_EQ(io::read(p.out(), got, 2), 2U);
  EXPECT_EQ(io::read(p.out(), got + 2, 6), 1U);
  EXPECT_STREQ(got, "abc");
  p.close_in();
  std::error_code error = stop_errc::interrupted;
  EXPECT_EQ(io::read(p.out(), got, 8, error), 0U);
  EXPECT_FALSE(error);
}

TEST(IoRead, AnErrorNamesTheCall) {
  char byte = 0;
  try {
    io::read(-1, &byte, 1);
    FAIL();
  } catch (const std::system_error& failure) {
    EXPECT_EQ(failure.code(), std::errc::bad_file_descriptor);
    EXPECT_NE(std::string{failure.what()}.find("read"), std::string::npos) << failure.what();
  }
  std::error_code error;
  EXPECT_EQ(io::write(-1, &byte, 1, error), 0U);
  EXPECT_EQ(error, std::errc::bad_file_descriptor);
  a_pipe p;
  ASSERT_EQ(::write(p.in(), "x", 1), 1);
  EXPECT_EQ(io::read(p.out(), nullptr, 1, error), 0U);
  EXPECT_EQ(error, std::errc::bad_address);
}

TEST(IoRead, ARequestPendingBeforeItIsDeliveredAndNothingIsRead) {
  signal_scope scope;
  a_pipe p;
  ASSERT_EQ(::write(p.in(), "x", 1), 1);
  ::raise(SIGINT);
  char byte = 0;
  EXPECT_THROW(io::read(p.out(), &byte, 1), interrupted);
  std::error_code error;
  EXPECT_EQ(io::read(p.out(), &byte, 1, error), 0U);
  EXPECT_EQ(error, stop_errc::interrupted);
  scope.acknowledge();
  EXPECT_EQ(io::read(p.out(), &byte, 1), 1U);
  EXPECT_EQ(byte, 'x');
}

TEST(IoRead, UnderAShieldItWaitsUndisturbed) {
  signal_scope scope;
  a_pipe p;
  const shield whole;
  ::raise(SIGINT);
  const pthread_t owner = ::pthread_self();
  std::jthread other{[&] {
    ::pthread_kill(owner, SIGTERM);
    EXPECT_EQ(::write(p.in(), "x", 1), 1);
  }};
  char byte = 0;
  EXPECT_EQ(io::read(p.out(), &byte, 1), 1U);
}

TEST(IoRead, SignalsAtRandomMomentsEndIt) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  a_pipe p;
  char byte = 0;
  random_moments::interrupt_owner(scope, random_moments::rounds(100'000),
                                  [&] { io::read(p.out(), &byte, 1); });
}

TEST(IoWrite, SignalsAtRandomMomentsEndIt) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  a_pipe p;
  p.fill();
  const char byte = 0;
  random_moments::interrupt_owner(scope, random_moments::rounds(100'000),
                                  [&] { io::write(p.in(), &byte, 1); });
}

// A write that had taken something when the request came says so, and the request is not lost.
TEST(IoWrite, APartWinsOverTheRequest) {
  signal_scope scope;
  a_pipe p;
  const std::string much(1U << 20U, 'x');
  const pthread_t owner = ::pthread_self();
  const int room = ::fcntl(p.in(), F_GETPIPE_SZ);
  std::jthread other{[&] {
    for (int there = 0; there < room; std::this_thread::yield()) ::ioctl(p.out(), FIONREAD, &there);
    ::pthread_kill(owner, SIGINT);
  }};
  EXPECT_EQ(io::write(p.in(), much.data(), much.size()), static_cast<std::size_t>(room));
  EXPECT_THROW(io::write(p.in(), much.data(), 1), interrupted);
}
