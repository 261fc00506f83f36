// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/output_capture.hpp"

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace checker {
namespace {

/// A subject's output, as large as the command makes it, and its empty standard error.
class OutputCapture : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(out_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(::pipe2(err_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_GT(::fcntl(out_[1], F_SETPIPE_SZ, 1 << 20), 0);
  }
  void TearDown() override {
    for (const int fd : {out_[0], out_[1], err_[0], err_[1]}) ::close(fd);
  }

  /// Writes until no more fits.
  std::size_t fill() {
    const std::string block(65536, 'x');
    std::size_t written = 0;
    for (ssize_t n = 0; n >= 0; n = ::write(out_[1], block.data(), block.size())) {
      written += static_cast<std::size_t>(n);
    }
    return written;
  }
  [[nodiscard]] std::size_t unread() const {
    int bytes = -1;
    EXPECT_EQ(::ioctl(out_[0], FIONREAD, &bytes), 0);
    return static_cast<std::size_t>(bytes);
  }
  [[nodiscard]] output_capture capture() const { return {out_[0], err_[0]}; }

private:
  std::array<int, 2> out_{};
  std::array<int, 2> err_{};
};

TEST_F(OutputCapture, ALookTakesItsShareAndLeavesTheRestForLater) {
  // The tracer read on for as long as somebody wrote, and had no time for the threads that were stopped.
  auto taken = capture();
  const auto written = fill();
  ASSERT_GT(written, output_capture::most_per_look);
  EXPECT_TRUE(taken.look());
  EXPECT_EQ(unread(), written - output_capture::most_per_look);
  taken.take_rest();
  EXPECT_EQ(unread(), 0U);
  EXPECT_EQ(taken.take_out(), std::string(written, 'x'));
  EXPECT_EQ(taken.take_err(), "");
}

TEST_F(OutputCapture, NoMoreThanTheLimitIsKeptAndThenItIsSaid) {
  auto taken = capture();
  std::size_t written = fill();
  while (taken.look()) {
    written += fill();
    ASSERT_LT(written, 2 * output_capture::limit);
  }
  taken.take_rest();
  EXPECT_EQ(taken.take_out().size(), output_capture::limit);
}

} // namespace
} // namespace checker
