// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <stdexcept>
#include <thread>

#include <unistd.h>

using namespace lastcall;

TEST(Checkpoint, DoesNothingWithoutAScope) {
  checkpoint();
  std::error_code error = std::make_error_code(std::errc::io_error);
  checkpoint(error);
  EXPECT_FALSE(error);
  EXPECT_FALSE(interrupt_pending());
}

TEST(Checkpoint, DeliversWhatCameBeforeIt) {
  signal_scope scope;
  ::raise(SIGTERM);
  EXPECT_TRUE(interrupt_pending());
  try {
    checkpoint();
    FAIL();
  } catch (const interrupted& stop) {
    EXPECT_EQ(stop.why().signal, SIGTERM);
    EXPECT_EQ(stop.why().sender_pid, ::getpid());
  }
}

TEST(Checkpoint, TheTwinReportsInsteadOfThrowing) {
  signal_scope scope;
  ::raise(SIGTERM);
  std::error_code error;
  checkpoint(error);
  EXPECT_EQ(error, stop_errc::interrupted);
  EXPECT_EQ(error, std::errc::interrupted);
  scope.acknowledge();
  checkpoint(error);
  EXPECT_FALSE(error);
}

TEST(Checkpoint, IsNotSwallowedByCatchOfStdException) {
  signal_scope scope;
  ::raise(SIGINT);
  const auto retry_loop = [] {
    try {
      checkpoint();
    } catch (const std::exception&) {
    }
  };
  EXPECT_THROW(retry_loop(), interrupted);
}

TEST(Checkpoint, SwallowedByCatchAllItComesAgain) {
  signal_scope scope;
  ::raise(SIGINT);
  try {
    checkpoint();
  } catch (...) {
  }
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Checkpoint, DeliversNothingWhileUnwindingAndAtTheFirstOneAfter) {
  signal_scope scope;
  bool passed = false;
  struct closer {
    bool& passed;
    ~closer() {
      ::raise(SIGINT);
      checkpoint(); // a throw from here would end the program
      std::error_code error;
      checkpoint(error);
      passed = !error && interrupt_pending();
    }
  };
  try {
    const closer at_end{passed};
    throw std::runtime_error{"disk full"};
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(passed);
    EXPECT_THROW(checkpoint(), interrupted);
  }
}

TEST(Checkpoint, DeliversInAScopeMadeWhileUnwinding) {
  bool delivered = false;
  struct closer {
    bool& delivered;
    ~closer() {
      signal_scope scope;
      ::raise(SIGINT);
      try {
        checkpoint();
      } catch (const interrupted&) {
        delivered = true;
      }
    }
  };
  try {
    const closer at_end{delivered};
    throw 1;
  } catch (int) {
  }
  EXPECT_TRUE(delivered);
}

TEST(Checkpoint, OnlyTheOwnerIsInterrupted) {
  signal_scope scope;
  ::raise(SIGINT);
  std::jthread{[] {
    checkpoint();
    EXPECT_FALSE(interrupt_pending());
  }}.join();
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Checkpoint, TheHandlerKeepsErrno) {
  signal_scope scope;
  errno = 1234;
  ::raise(SIGINT);
  EXPECT_EQ(errno, 1234);
}

TEST(InterruptMain, ReachesATightLoopFromASubThreadAndFromMain) {
  signal_scope scope;
  std::jthread other{[] { interrupt_main(); }};
  EXPECT_THROW(for (;;) checkpoint(), interrupted);
  other.join();
  scope.acknowledge();
  interrupt_main(SIGTERM);
  EXPECT_EQ(scope.why()->signal, SIGTERM);
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(InterruptMain, DoesNothingHarmfulWhereNobodyHandlesTheSignal) {
  interrupt_main(SIGINT);
  signal_scope scope;
  interrupt_main(SIGUSR1);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_THROW(interrupt_main(0), std::invalid_argument);
  EXPECT_THROW(interrupt_main(-5), std::invalid_argument);
  EXPECT_THROW(interrupt_main(1000), std::invalid_argument);
}
