// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// A hundred threads that write for ever, and a program that ends: by a finalization, by exit alone, with
/// threads of its own and with those of others, by line and by block.
///
/// Each thread numbers its records, and says in memory that outlives its process how many calls of write have
/// returned. What the parent finds in the file: of each thread the numbers from 0 on, whole, in order, none
/// twice, none missing, and none that was accepted left out.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "interrupt/child.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include <sys/mman.h>

using namespace lastcall;
using namespace streams;

namespace {

constexpr std::size_t most_threads = 100;

struct accepted_by_each {
  std::array<std::atomic<std::uint32_t>, most_threads> count;
};

enum class threads_of { library, others };

struct scene {
  threads_of whose = threads_of::library;
  flush_mode mode = flush_mode::line;
  std::size_t buffer = 4096;
  bool by_exit = false; ///< the finalization is the one that exit makes
};

// At the end of the process everybody may still be writing.
[[noreturn]] void program(const scene& what, int file, accepted_by_each& accepted, unsigned seed) {
  auto* out =
      new buffered_writer{raw_fd::borrow(file), {.name = "out", .flush = what.mode, .buffer = what.buffer}};
  auto* live = new runtime{{.name = "spam", .at_exit = exit_policy::quick}};
  for (std::size_t i = 0; i < most_threads; ++i) {
    const auto spam = [out, i, &accepted] {
      for (std::uint32_t number = 0;; ++number) {
        out->write("SPAM " + std::to_string(i) + " " + std::to_string(number) + " SPAM!\n");
        accepted.count[i].store(number + 1);
      }
    };
    if (what.whose == threads_of::library)
      daemon_thread{"spammer", "writes for ever", spam};
    else
      std::thread{spam}.detach();
  }
  std::minstd_rand random{seed};
  for (auto turns = random() % 20; turns > 0; --turns) std::this_thread::yield();
  if (what.by_exit) std::exit(0);
  const auto report = live->finalize();
  ::_exit(report.streams.empty() ? 0 : 3);
}

std::string_view next_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::uint32_t number(std::string_view word) {
  std::uint32_t value = ~std::uint32_t{0};
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

void judge(const std::string& all, const accepted_by_each& accepted) {
  std::array<std::uint32_t, most_threads> next{};
  std::string_view rest{all};
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos) << "torn: " << rest;
    auto line = rest.substr(0, end);
    const std::string whole{line};
    rest.remove_prefix(end + 1);
    ASSERT_EQ(next_word(line), "SPAM") << whole;
    const std::uint32_t who = number(next_word(line));
    ASSERT_LT(who, most_threads) << whole;
    ASSERT_EQ(number(next_word(line)), next[who]) << whole;
    ASSERT_EQ(line, "SPAM!") << whole;
    ++next[who];
  }
  for (std::size_t i = 0; i < most_threads; ++i)
    ASSERT_GE(next[i], accepted.count[i].load()) << "of thread " << i;
}

int rounds() {
  const char* wanted = std::getenv("LASTCALL_SPAM_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : 4;
}

void run(const scene& what) {
  void* memory =
      ::mmap(nullptr, sizeof(accepted_by_each), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  for (int round = 0; round < rounds() && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    auto* accepted = new (memory) accepted_by_each{};
    const int file = ::memfd_create("out", MFD_CLOEXEC);
    const int status = testing_child::run(
        [&]() -> int { program(what, file, *accepted, static_cast<unsigned>(round) + 1); }, 60);
    EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
    std::string all(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    ::close(file);
    judge(all, *accepted);
  }
  ::munmap(memory, sizeof(accepted_by_each));
}

} // namespace

TEST(Spam, ByLine) { run({}); }
TEST(Spam, ByBlock) { run({.mode = flush_mode::block, .buffer = 4096}); }
TEST(Spam, WithRecordsLargerThanTheBuffer) { run({.mode = flush_mode::block, .buffer = 16}); }
TEST(Spam, OfThreadsOfOthers) { run({.whose = threads_of::others}); }
TEST(Spam, OfThreadsOfOthersByBlock) { run({.whose = threads_of::others, .mode = flush_mode::block}); }
TEST(Spam, UntilExit) { run({.by_exit = true}); }
TEST(Spam, OfThreadsOfOthersUntilExit) {
  run({.whose = threads_of::others, .mode = flush_mode::block, .by_exit = true});
}
