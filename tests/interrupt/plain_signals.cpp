// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Every test of this module starts from default dispositions and an empty mask, also when the suite is
/// run in the background, under nohup or by a runner that ignores SIGINT, and when all tests run in one
/// process.

#include <gtest/gtest.h>

#include <csignal>
#include <initializer_list>

#include <signal.h>

namespace {

void make_plain() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

class plain_at_each_start : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { make_plain(); }
};

[[maybe_unused]] const bool plain = [] {
  make_plain(); // for what is made before the first test
  testing::UnitTest::GetInstance()->listeners().Append(new plain_at_each_start);
  return true;
}();

} // namespace
