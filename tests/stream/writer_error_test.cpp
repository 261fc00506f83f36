// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"
#include "sys/fault_plan.hpp"

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

using namespace lastcall;
using namespace streams;

namespace {

std::error_code os(int error) { return {error, std::system_category()}; }

bool is_pending(int signal) {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, signal) == 1;
}

} // namespace

TEST(WriterError, IsThrownWithItsNameAndKept) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  buffered_writer out{raw_fd::own(full), {.name = "the report"}};
  EXPECT_EQ(out.write("accepted"), 8U);
  try {
    out.flush();
    FAIL();
  } catch (const stream_error& error) {
    EXPECT_EQ(error.code(), os(ENOSPC));
    EXPECT_EQ(std::string{error.what()}, "flush (the report): No space left on device");
  }
  std::error_code error;
  EXPECT_EQ(out.write("more", error), 0U);
  EXPECT_EQ(error, os(ENOSPC));
  EXPECT_EQ(out.error(), os(ENOSPC));
  EXPECT_EQ(out.counts().buffered, 8U);
  EXPECT_FALSE(detail::output_was_lost()); // it may still be written
  out.close(error);
  EXPECT_EQ(error, os(ENOSPC));
  EXPECT_EQ(out.counts().lost, 8U);
}

TEST(WriterError, IsTriedAgainOnceItIsCleared) {
  two_ends pipe;
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  const int fd = ::dup(full);
  auto out = make_writer(fd);
  out.write("kept");
  std::error_code error;
  out.flush(error);
  EXPECT_EQ(error, os(ENOSPC));
  ::dup2(pipe.in(), fd);
  out.flush(error);
  EXPECT_EQ(error, os(ENOSPC));
  out.clear_error();
  out.flush();
  EXPECT_EQ(pipe.drained(), "kept");
  out.close();
  ::close(fd);
  ::close(full);
}

TEST(WriterError, OfABrokenPipeRaisesNoSignal) {
  for (const auto kind : {two_ends::kind::pipe, two_ends::kind::socket}) {
    two_ends pipe{kind};
    auto out = make_writer(pipe.in());
    out.write("nobody reads this");
    pipe.close_out();
    std::error_code error;
    out.flush(error);
    EXPECT_EQ(error, os(EPIPE));
    EXPECT_FALSE(is_pending(SIGPIPE));
    out.close(error);
    EXPECT_EQ(out.counts().lost, 17U);
  }
}

// A pipe that breaks while a write waits in it has taken a part: the call returns a count, and there is a
// signal nevertheless.
TEST(WriterError, OfAPipeThatBreaksInTheMiddleRaisesNoSignal) {
  two_ends pipe;
  const std::size_t junk = pipe.fill();
  auto out = make_writer(pipe.in(), 16);
  std::thread reader{[&] {
    pipe.take(junk); // 4096 of these at least make room for a part
    pipe.close_out();
  }};
  std::error_code error;
  const std::string large(std::size_t{1} << 20U, 'x');
  const std::size_t accepted = out.write(large, error);
  reader.join();
  EXPECT_EQ(error, os(EPIPE));
  EXPECT_LT(accepted, large.size());
  EXPECT_EQ(out.counts().written, accepted);
  EXPECT_FALSE(is_pending(SIGPIPE));
  out.close(error);
}

TEST(WriterError, LeavesASignalThatWasPendingBefore) {
  sigset_t pipe_signal;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  ::raise(SIGPIPE);
  two_ends pipe;
  pipe.close_out();
  auto out = make_writer(pipe.in());
  out.write("x");
  std::error_code error;
  out.flush(error);
  EXPECT_EQ(error, os(EPIPE));
  EXPECT_TRUE(is_pending(SIGPIPE));
  out.close(error);
  int taken = 0;
  ::sigwait(&pipe_signal, &taken);
}

TEST(WriterError, OfADescriptorThatSomebodyClosed) {
  two_ends pipe;
  const int fd = ::dup(pipe.in());
  auto out = make_writer(fd);
  out.write("x");
  ::close(fd);
  std::error_code error;
  out.flush(error);
  EXPECT_EQ(error, os(EBADF));
  out.close(error);
  EXPECT_EQ(out.counts().lost, 1U);
}

TEST(WriterError, OfADestroyedStreamReachesTheStatus) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  { buffered_writer{raw_fd::own(full)}.write("nobody hears of this"); }
  EXPECT_TRUE(detail::output_was_lost());
}

// The first call that fails is a write, whose error is said; EINTR is none. Then it is tried again and all is
// there once.
TEST(WriterError, AtEveryCall) {
  for (const int refused : {EIO, EINTR, ENOMEM}) {
    for (int nth = 1; nth < 100; ++nth) {
      const two_ends pipe;
      auto out = make_writer(pipe.in(), 16);
      std::string expected;
      fault_plan::fail_nth(nth, refused);
      for (int i = 0; i < 6; ++i) {
        const std::string record(static_cast<std::size_t>(6 * i + 1), static_cast<char>('a' + i));
        std::error_code error;
        std::size_t accepted = out.write(record, error);
        if (error) {
          EXPECT_EQ(error, os(refused));
          out.clear_error();
          accepted += out.write(std::string_view{record}.substr(accepted), error);
          EXPECT_FALSE(error);
        }
        EXPECT_EQ(accepted, record.size());
        expected += record;
      }
      std::error_code error;
      out.flush(error);
      if (error) {
        out.clear_error();
        out.flush();
      }
      const bool fired = fault_plan::disarm();
      EXPECT_EQ(pipe.drained(), expected) << "call " << nth;
      out.close();
      if (!fired) {
        EXPECT_GT(nth, 3);
        break;
      }
    }
  }
}
