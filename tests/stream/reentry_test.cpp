// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Calls from inside a call of the same stream, as a handler makes them: in the middle of each kernel call
/// under the lock.

#include "stream/a_stream.hpp"
#include "sys/fault_plan.hpp"

#include <lastcall/stream/buffered_file.hpp>
#include <lastcall/stream/buffered_reader.hpp>

#include <cerrno>
#include <span>
#include <string>

#include <sys/mman.h>

using namespace lastcall;
using namespace streams;

namespace {

int refused = 0; // how often a call from inside was

// The stream there is at the moment, for what is called in the middle of its calls.
template <class Stream>
Stream* current = nullptr;

void count(const std::error_code& error) { refused += error == stream_errc::reentered ? 1 : 0; }

void read_inside() {
  std::error_code error;
  std::string line;
  current<buffered_reader>->read_line(line, error);
  count(error);
}

void use_file_inside() {
  std::error_code error;
  current<buffered_file>->write("inside", error);
  count(error);
  std::string line;
  current<buffered_file>->read_line(line, error);
  count(error);
}

// `use` with its N-th kernel call interrupted by `inside`, N = 1, 2, …
template <class Fn>
void at_each_call(void (*inside)(), Fn use) {
  refused = 0;
  for (int nth = 1; nth < 100; ++nth) {
    use([&] { fault_plan::fail_nth(nth, EINTR, inside); });
    if (!fault_plan::disarm()) return;
  }
}

} // namespace

TEST(Reentry, OfAReaderIsAnErrorAndTheOuterCallGoesOn) {
  at_each_call(read_inside, [](auto begin) {
    const two_ends pipe;
    ASSERT_EQ(::write(pipe.in(), "line\n", 5), 5);
    buffered_reader in{raw_fd::borrow(pipe.out())};
    current<buffered_reader> = &in;
    in.read(std::span<char>{}); // the thread has its id and its seat: all calls are under the lock
    begin();
    std::string line;
    EXPECT_TRUE(in.read_line(line));
    EXPECT_EQ(line, "line");
  });
  EXPECT_GT(refused, 0);
}

TEST(Reentry, OfAFileIsAnErrorAndTheOuterCallGoesOn) {
  at_each_call(use_file_inside, [](auto begin) {
    const int fd = ::memfd_create("test", MFD_CLOEXEC);
    {
      buffered_file file{raw_fd::own(fd), {.name = "test", .buffer = 16}};
      current<buffered_file> = &file;
      file.tell(); // as above
      begin();
      EXPECT_EQ(file.write("0123456789"), 10U);
      EXPECT_EQ(file.write("abcdefghij\n"), 11U); // has no room
      std::string line;
      EXPECT_FALSE(file.read_line(line)); // behind what was written, which is flushed
      fault_plan::disarm();
      file.seek(0);
      EXPECT_TRUE(file.read_line(line));
      EXPECT_EQ(line, "0123456789abcdefghij");
    }
  });
  EXPECT_GT(refused, 0);
}
