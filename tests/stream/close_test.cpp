// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What a close loses is said, whoever was told and did not listen.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/runtime.hpp>

#include "interrupt/child.hpp"
#include "sys/fault_plan.hpp"

#include <cstdlib>
#include <memory>
#include <string>

using namespace lastcall;
using namespace streams;

namespace {

runtime_options quiet() {
  runtime_options options;
  options.on_report = [](const finalization_report&) {};
  return options;
}

raw_fd full() { return raw_fd::own(::open("/dev/full", O_WRONLY | O_CLOEXEC)); }

// The status of a process in which `lose` loses `bytes` of "test" and of so many more, whose report says so.
template <class Fn>
int status_of_losing(std::uint64_t bytes, const char* who, int error, Fn lose) {
  return testing_child::run([&]() -> int {
    runtime program{quiet()};
    lose();
    const auto report = program.finalize();
    if (report.clean() || report.streams.size() != 1) return 1;
    const auto& end = report.streams[0];
    if (end.name != who || end.lost != bytes || end.error.value() != error) return 2;
    runtime next{quiet()};
    if (!next.finalize().clean()) return 3; // it is said once
    std::exit(0);
  });
}

} // namespace

TEST(CloseOfAStream, WhoseErrorIsIgnoredIsInTheReportAndInTheStatus) {
  const int status = status_of_losing(5, "test", ENOSPC, [] {
    buffered_writer out{full(), {.name = "test"}};
    out.write("hello");
    std::error_code ignored;
    out.close(ignored);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST(CloseOfAStream, WhoseErrorIsCaughtIsInTheReportAndInTheStatus) {
  const int status = status_of_losing(5, "test", ENOSPC, [] {
    buffered_writer out{full(), {.name = "test"}};
    out.write("hello");
    EXPECT_THROW(out.close(), stream_error);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST(CloseOfAStream, OfSeveralIsOneEntry) {
  const int status = status_of_losing(9, "one and 2 more", ENOSPC, [] {
    for (const auto* name : {"one", "two", "three"}) {
      buffered_writer out{full(), {.name = name}};
      out.write("abc");
    }
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}

TEST(CloseOfAStream, ThatWasToldInLastWordsIsNotToldAgain) {
  const int status = testing_child::run([]() -> int {
    buffered_writer out{full(), {.name = "test"}};
    runtime program{quiet()};
    out.write("hello");
    if (program.finalize().streams.size() != 1) return 1;
    std::error_code ignored;
    out.close(ignored);
    runtime next{quiet()};
    return next.finalize().clean() ? 0 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// All was written, and the kernel says at the close that it did not arrive.
TEST(CloseOfAStream, ThatFailsInADestructorIsInTheReportAndInTheStatus) {
  const int status = status_of_losing(0, "test", EIO, [] {
    for (int nth = 1; nth < 100; ++nth) {
      const two_ends pipe;
      auto out =
          std::make_unique<buffered_writer>(raw_fd::own(::dup(pipe.in())), stream_options{.name = "test"});
      out->write("hello");
      out->flush();
      fault_plan::fail_nth(nth, EIO);
      out.reset();
      if (fault_plan::disarm() && fault_plan::failed() == sys::call::close) return;
    }
  });
  EXPECT_TRUE(testing_child::exited_with(status, 74)) << status;
}
