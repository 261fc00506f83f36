// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Published: a start that fails leaves services running, or hangs for ever with six processes. Here: whoever
// fails, and however, all others are stopped, within the start's deadline, and the status says so. That the
// output comes to its end shows that no process is left.
#include "examples/scanner_run.hpp"

namespace {

using example_test::child;

struct failing {
  const char* part;
  const char* how;
};

class ScannerStart : public example_test::scanner_run, public testing::WithParamInterface<failing> {};

std::string name_of(const testing::TestParamInfo<failing>& info) {
  std::string name = std::string{info.param.part} + "_" + info.param.how;
  for (char& each : name)
    if (each == '-') each = '_';
  return name;
}

TEST_P(ScannerStart, ThatFailsStopsAllOthers) {
  const auto [part, how] = GetParam();
  make_file("f", "x\n");
  child it{"08_scanner",
           {"--workers", "4", "--pattern", "x", "--log", "-", "--start-within", "300ms", "--grace", "2s",
            "--fault", std::string{part} + ":" + how, "f"}};
  const int status = it.wait();
  ASSERT_TRUE(WIFEXITED(status)) << it.output(); // not by the alarm
  EXPECT_NE(WEXITSTATUS(status), 0) << it.output();
  EXPECT_NE(WEXITSTATUS(status), 1) << it.output();
  EXPECT_EQ(it.output().find("f:1:x"), std::string::npos);
  const std::string started = "threads: started";
  if (std::string_view{part} != "threads") {
    EXPECT_NE(it.output().find(started), std::string::npos) << it.output();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, ScannerStart,
    testing::Values(failing{"worker-0", "throws"}, failing{"worker-1", "throws"},
                    failing{"worker-2", "throws"}, failing{"worker-3", "throws"},
                    failing{"worker-0", "exits"}, failing{"worker-1", "exits"}, failing{"worker-2", "exits"},
                    failing{"worker-3", "exits"}, failing{"worker-0", "hangs"}, failing{"worker-1", "hangs"},
                    failing{"worker-2", "hangs"}, failing{"worker-3", "hangs"}, failing{"threads", "throws"},
                    failing{"threads", "exits"}, failing{"threads", "hangs"}, failing{"loop", "throws"},
                    failing{"loop", "exits"}, failing{"loop", "hangs"}, failing{"service", "throws"},
                    failing{"service", "exits"}, failing{"service", "hangs"}, failing{"job", "throws"},
                    failing{"job", "exits"}, failing{"job", "hangs"}),
    name_of);

} // namespace
