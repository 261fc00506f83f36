// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/a_stream.hpp"

#include <lastcall/stream/buffered_duplex.hpp>
#include <lastcall/stream/buffered_file.hpp>

#include "interrupt/child.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>

using namespace lastcall;
using namespace streams;

namespace {

/// A file without a name.
class a_file {
public:
  explicit a_file(const std::string& text = {}) {
    fd = ::memfd_create("test", MFD_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  ~a_file() { ::close(fd); }
  a_file(const a_file&) = delete;
  a_file& operator=(const a_file&) = delete;

  std::string text() const {
    std::string all(100'000, '\0');
    const ssize_t size = ::pread(fd, all.data(), all.size(), 0);
    all.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return all;
  }
  int fd;
};

buffered_file open_file(const a_file& what, std::size_t buffer = 16) {
  return buffered_file{raw_fd::borrow(what.fd), {.name = "test", .buffer = buffer}};
}

} // namespace

TEST(BufferedFile, WritesWhereItHasReadTo) {
  const a_file disk{"one\ntwo\nthree\n"};
  auto file = open_file(disk);
  std::string line;
  EXPECT_TRUE(file.read_line(line));
  EXPECT_EQ(line, "one");
  EXPECT_EQ(file.tell(), 4U);
  file.write("TWO");
  EXPECT_EQ(file.tell(), 7U);
  EXPECT_TRUE(file.read_line(line)); // the rest of the second line
  EXPECT_EQ(line, "");
  EXPECT_TRUE(file.read_line(line));
  EXPECT_EQ(line, "three");
  EXPECT_EQ(disk.text(), "one\nTWO\nthree\n");
}

TEST(BufferedFile, SeeksFromTheStartFromHereAndFromTheEnd) {
  const a_file disk{"0123456789"};
  auto file = open_file(disk);
  std::array<char, 2> two{};
  EXPECT_EQ(file.seek(4), 4U);
  EXPECT_EQ(file.read(std::span{two}), 2U);
  EXPECT_EQ(std::string(two.data(), 2), "45");
  EXPECT_EQ(file.seek(1, seek_origin::here), 7U); // from what was read, not from what was read ahead
  file.write("x");
  EXPECT_EQ(file.seek(-1, seek_origin::end), 9U);
  file.write("yz");
  EXPECT_EQ(file.tell(), 11U);
  file.close();
  EXPECT_EQ(disk.text(), "0123456x8yz");
}

TEST(BufferedFile, SaysWhatASeekSays) {
  const a_file disk;
  auto file = open_file(disk);
  std::error_code error;
  EXPECT_EQ(file.seek(-1, seek_origin::start, error), 0U);
  EXPECT_EQ(error, std::errc::invalid_argument);
  EXPECT_FALSE(file.error()); // nothing is wrong with the file
  const two_ends pipe;
  EXPECT_THROW((buffered_file{raw_fd::borrow(pipe.in())}), stream_error);
  file.close();
  EXPECT_EQ(file.tell(error), 0U);
  EXPECT_EQ(error, stream_errc::closed);
}

TEST(BufferedFile, IsWrittenByLastWords) {
  const a_file disk{"abc"};
  auto file = open_file(disk);
  std::array<char, 1> one{};
  EXPECT_EQ(file.read(std::span{one}), 1U);
  file.write("X");
  EXPECT_TRUE(say_last_words(1s).empty());
  EXPECT_EQ(disk.text(), "aXc");
}

// Against a string and a position that do the same.
TEST(BufferedFile, DoesWhatAStringWithAPositionDoes) {
  std::minstd_rand random{7};
  const a_file disk;
  auto file = open_file(disk, 32);
  std::string model;
  std::size_t at = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
    case 0: {
      const std::string record(random() % 50 + 1, static_cast<char>('a' + random() % 26));
      if (at + record.size() > 5000) break;
      file.write(record);
      if (model.size() < at + record.size()) model.resize(at + record.size());
      model.replace(at, record.size(), record);
      at += record.size();
      break;
    }
    case 1: {
      std::string into(random() % 50 + 1, '\0');
      std::size_t want = std::min(into.size(), model.size() - at), have = 0;
      while (have < want) {
        const std::size_t count = file.read(std::span{into}.subspan(have, want - have));
        ASSERT_NE(count, 0U);
        have += count;
      }
      ASSERT_EQ(into.substr(0, want), model.substr(at, want)) << step;
      at += want;
      break;
    }
    case 2:
      at = random() % (model.size() + 1);
      ASSERT_EQ(file.seek(static_cast<std::int64_t>(at)), at);
      break;
    default: ASSERT_EQ(file.tell(), at) << step; break;
    }
  }
  file.flush();
  EXPECT_EQ(disk.text(), model);
}

TEST(BufferedFile, IsWholeForManyThreads) {
  const a_file disk;
  auto file = open_file(disk, 64);
  std::vector<std::thread> threads;
  for (const char letter : {'a', 'b', 'c'})
    threads.emplace_back([&file, letter] {
      for (int i = 0; i < 500; ++i) file.write(std::string(9, letter) + "\n");
    });
  for (auto& thread : threads) thread.join();
  file.seek(0);
  int count = 0;
  for (std::string line; file.read_line(line); ++count) ASSERT_EQ(line, std::string(9, line[0]));
  EXPECT_EQ(count, 1500);
}

TEST(BufferedDuplex, SpeaksBothWaysOverOneDescriptor) {
  two_ends pair{two_ends::kind::socket};
  buffered_duplex here{raw_fd::borrow(pair.in())}, there{raw_fd::borrow(pair.out())};
  std::string line;
  std::thread echo{[&] {
    std::string heard;
    while (there.reader().read_line(heard)) {
      there.writer().write("echo " + heard + "\n");
      there.writer().flush();
    }
  }};
  for (const char* word : {"one", "two"}) {
    here.writer().write(std::string{word} + "\n");
    here.writer().flush();
    EXPECT_TRUE(here.reader().read_line(line));
    EXPECT_EQ(line, std::string{"echo "} + word);
  }
  here.close();
  pair.close_in();
  echo.join();
  std::error_code error;
  EXPECT_FALSE(here.reader().read_line(line, error));
  EXPECT_EQ(error, stream_errc::closed);
}
