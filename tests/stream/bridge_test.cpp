// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/stream/record.hpp>
#include <lastcall/stream/standard_streams.hpp>
#include <lastcall/stream/stream_buffer.hpp>

#include "interrupt/child.hpp"

// The library does not know it; whoever has it can print with it.
#if __has_include(<fmt/format.h>)
#define FMT_HEADER_ONLY
#include <fmt/format.h>
#endif

#include <csignal>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>

using namespace lastcall;
using namespace streams;

TEST(StreamBuffer, LeadsAnOstreamIntoAWriterAndBack) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  std::ostringstream stream;
  stream << "before ";
  {
    const redirected to_pipe{stream, out};
    stream << "answer " << 42 << std::endl;
    EXPECT_EQ(pipe.drained(), "answer 42\n");
    stream << "flushed at the end";
  }
  EXPECT_EQ(pipe.drained(), "flushed at the end");
  stream << "after";
  EXPECT_EQ(stream.str(), "before after");
}

TEST(StreamBuffer, SaysInTheStateThatAWriteHasFailed) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  auto out = make_writer(full);
  output_buffer buffer{out};
  std::ostream stream{&buffer};
  stream << "x" << std::flush;
  EXPECT_TRUE(stream.bad());
  EXPECT_EQ(out.error().value(), ENOSPC);
  std::error_code error;
  out.close(error);
  ::close(full);
}

TEST(StreamBuffer, IsNotBrokenByARequest) {
  const two_ends pipe;
  signal_scope scope;
  auto out = make_writer(pipe.in(), 16);
  output_buffer buffer{out};
  std::ostream stream{&buffer};
  std::raise(SIGINT);
  stream << std::string(100, 'x') << std::flush;
  EXPECT_TRUE(stream.good());
  EXPECT_EQ(pipe.drained(), std::string(100, 'x'));
  EXPECT_THROW(checkpoint(), interrupted);
  scope.acknowledge();
}

TEST(StreamBuffer, LetsAnIstreamReadAndEndsItAtARequest) {
  two_ends pipe;
  ASSERT_EQ(::write(pipe.in(), "one two\nthree\n", 14), 14);
  buffered_reader in{raw_fd::borrow(pipe.out())};
  input_buffer buffer{in};
  std::istream stream{&buffer};
  std::string word, line;
  stream >> word;
  std::getline(stream, line);
  EXPECT_EQ(word + "," + line, "one, two");
  std::getline(stream, line);
  EXPECT_EQ(line, "three");
  signal_scope scope;
  std::raise(SIGINT);
  EXPECT_FALSE(std::getline(stream, line));
  EXPECT_TRUE(stream.eof());
  EXPECT_EQ(buffer.error(), stop_errc::interrupted);
  EXPECT_THROW(checkpoint(), interrupted);
  scope.acknowledge();
  stream.clear();
  ASSERT_EQ(::write(pipe.in(), "four\n", 5), 5);
  std::getline(stream, line);
  EXPECT_EQ(line, "four");
}

TEST(StreamBuffer, LeadsAnIstreamToAReaderAndBack) {
  const two_ends pipe;
  ASSERT_EQ(::write(pipe.in(), "one\ntwo\n", 8), 8);
  buffered_reader in{raw_fd::borrow(pipe.out())};
  std::istringstream stream{"its own"};
  std::string line;
  {
    const redirected_input from_pipe{stream, in};
    std::getline(stream, line);
    EXPECT_EQ(line, "one");
    EXPECT_FALSE(from_pipe.error());
    in.close();
    std::getline(stream, line); // has been taken from the reader before
    EXPECT_EQ(line, "two");
    EXPECT_FALSE(std::getline(stream, line));
    EXPECT_TRUE(stream.eof());
    EXPECT_EQ(from_pipe.error(), stream_errc::closed);
  }
  stream.clear();
  std::getline(stream, line);
  EXPECT_EQ(line, "its own");
}

TEST(Record, IsOneHoweverManyPiecesItHas) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  const std::string many(1000, 'm');
  {
    record line{out};
    line.append("few ").append(many);
    *std::back_inserter(line) = '!';
    EXPECT_EQ(out.counts().accepted, 0U);
    EXPECT_EQ(line.send(), 1005U);
    EXPECT_EQ(line.size(), 0U);
    line.append("sent by its end");
  }
  out.flush();
  EXPECT_EQ(pipe.drained(), "few " + many + "!sent by its end");
}

#if defined(FMT_HEADER_ONLY)
TEST(Record, IsASinkForFmt) {
  const two_ends pipe;
  auto out = make_writer(pipe.in());
  record line{out};
  fmt::format_to(std::back_inserter(line), "{} of {} done\n", 7, "many");
  EXPECT_EQ(line.send(), 15U);
  out.flush();
  EXPECT_EQ(pipe.drained(), "7 of many done\n");
}
#endif

TEST(Record, StaysWholeWhenItCouldNotBeSent) {
  two_ends pipe;
  auto out = make_writer(pipe.in(), 16);
  signal_scope scope;
  record line{out};
  line.append(std::string(600, 'x'));
  std::raise(SIGINT);
  EXPECT_THROW(line.send(), interrupted);
  scope.acknowledge();
  line.push_back('!');
  EXPECT_EQ(line.send(), 601U);
  EXPECT_EQ(pipe.drained(), std::string(600, 'x') + "!");
}

TEST(StandardStreams, AreThereForDestructorsOfStatics) {
  const two_ends pipe;
  const int status = testing_child::run([&]() -> int {
    ::dup2(pipe.in(), 1);
    ::dup2(pipe.in(), 2);
    struct last_of_all {
      ~last_of_all() {
        out().write("out of a destructor, ");
        err().write("and err\n");
      }
    };
    static last_of_all object;
    out().write("out, ");
    std::exit(0);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
  const std::string all = pipe.drained(); // in which order the two come depends on who was there first
  EXPECT_NE(all.find("out, out of a destructor, "), std::string::npos) << all;
  EXPECT_NE(all.find("and err\n"), std::string::npos) << all;
}

TEST(StandardStreams, ReadStandardInput) {
  const int status = testing_child::run([]() -> int {
    const two_ends pipe;
    ::dup2(pipe.out(), 0);
    if (::write(pipe.in(), "line\n", 5) != 5) return 2;
    std::string line;
    return in().read_line(line) && line == "line" ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}
