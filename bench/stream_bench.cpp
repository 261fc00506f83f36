// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What a stream costs that must not lose anything at the end, against those that may.
//
// Small records go to /dev/null: what is measured is the way into the buffer, the kernel's part is next to
// nothing on either side. A second thread is alive in all of it; without one, stdio leaves its lock out.
// Large records, and lines, go to and come from a file in memory.

#include <lastcall/stream/buffered_reader.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include "comparison.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

std::size_t records = 2'000'000;
std::size_t lines = 50'000; // three megabytes: what is held against each other is not the way to the memory
std::size_t readings = 4;

constexpr std::size_t record_size = 64;
const std::string record(record_size, 'x');
constexpr const char* nowhere = "/dev/null";
constexpr std::size_t buffer_size = std::size_t{32} * 1024; // everybody's

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "stream: %s\n", why);
  std::_Exit(2);
}

// --- the sides: each is made once for a measurement, and called by all of its threads ---

struct ours {
  lastcall::buffered_writer out{lastcall::raw_fd::own(::open(nowhere, O_WRONLY | O_CLOEXEC)),
                                {.flush = lastcall::flush_mode::block, .buffer = buffer_size}};
  void operator()() { out.write(record); }
};

struct stdio {
  std::FILE* out = std::fopen(nowhere, "w");
  stdio() { std::setvbuf(out, nullptr, _IOFBF, buffer_size); }
  ~stdio() { std::fclose(out); }
  void operator()() const { std::fwrite(record.data(), 1, record_size, out); }
};

struct stdio_unlocked : stdio {
  void operator()() const { ::fwrite_unlocked(record.data(), 1, record_size, out); }
};

struct locked_ofstream {
  std::array<char, buffer_size> buffer;
  std::ofstream out;
  std::mutex lock;
  locked_ofstream() {
    out.rdbuf()->pubsetbuf(buffer.data(), buffer.size());
    out.open(nowhere);
  }
  void operator()() {
    const std::scoped_lock guard{lock};
    out.write(record.data(), record_size);
  }
};

/// Nanoseconds for a record, all threads together: the time of the slowest by the records of all.
template <class Side>
double on_threads(unsigned threads) {
  Side side;
  std::latch ready{threads};
  const std::size_t each = records / threads;
  std::vector<double> began(threads), ended(threads);
  std::vector<std::thread> others;
  const auto run = [&](unsigned which) {
    for (int i = 0; i < 1000; ++i) side();
    ready.arrive_and_wait();
    began[which] = bench::now_ns();
    for (std::size_t i = 0; i < each; ++i) side();
    ended[which] = bench::now_ns();
  };
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(run, i);
  run(0);
  for (auto& other : others) other.join();
  return (*std::max_element(ended.begin(), ended.end()) - *std::min_element(began.begin(), began.end())) /
         static_cast<double>(each * threads);
}

template <class Side>
double alone() {
  Side side;
  for (int i = 0; i < 1000; ++i) side();
  return bench::ns_per_call(records, [&] { side(); });
}

// --- large records ---

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

struct file_in_memory {
  int fd = ::memfd_create("bench", MFD_CLOEXEC);
  ~file_in_memory() { ::close(fd); }
  void rewind() const { ::lseek(fd, 0, SEEK_SET); }
};

double large_ours() {
  const file_in_memory file;
  const std::string large(mebibyte, 'x');
  lastcall::buffered_writer out{lastcall::raw_fd::borrow(file.fd), {.flush = lastcall::flush_mode::block}};
  out.write(large);
  return bench::ns_per_call(200, [&] {
    file.rewind();
    out.write(large);
  });
}

double large_plain() {
  const file_in_memory file;
  const std::string large(mebibyte, 'x');
  const auto put = [&] {
    if (::write(file.fd, large.data(), large.size()) != static_cast<ssize_t>(mebibyte))
      give_up("short write");
  };
  put();
  return bench::ns_per_call(200, [&] {
    file.rewind();
    put();
  });
}

// --- lines ---

struct file_of_lines : file_in_memory {
  file_of_lines() {
    std::string all;
    for (std::size_t i = 0; i < lines; ++i) all += std::string(20 + i * 37 % 81, 'x') + "\n"; // 60 on average
    if (::write(fd, all.data(), all.size()) != static_cast<ssize_t>(all.size())) give_up("short write");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd); }
};

const file_of_lines& the_lines() {
  static const file_of_lines file;
  return file;
}

// Of this thread's own time, all of it: what others do meanwhile does not count.
double own_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <class Fn>
double per_line(Fn read_all) {
  const double start = own_ns();
  for (std::size_t i = 0; i < readings; ++i)
    if (read_all() != lines) give_up("lines are missing");
  return (own_ns() - start) / static_cast<double>(lines * readings);
}

double lines_ours() {
  return per_line([] {
    the_lines().rewind();
    lastcall::buffered_reader in{lastcall::raw_fd::borrow(the_lines().fd)};
    std::size_t count = 0;
    for (std::string line; in.read_line(line); ++count) bench::keep(line.data());
    return count;
  });
}

// As everybody writes it: with the buffer that std::ifstream has by itself.
double lines_getline() {
  return per_line([] {
    std::ifstream in{the_lines().path()};
    std::size_t count = 0;
    for (std::string line; std::getline(in, line); ++count) bench::keep(line.data());
    return count;
  });
}

// What one writes by hand: a buffer of the same size, memchr, and the line as a string, as from the others.
double lines_by_hand() {
  return per_line([] {
    the_lines().rewind();
    std::vector<char> buffer(buffer_size);
    std::size_t count = 0, begin = 0, end = 0;
    std::string line;
    for (;;) {
      const void* at = std::memchr(buffer.data() + begin, '\n', end - begin);
      if (at != nullptr) {
        const auto size = static_cast<std::size_t>(static_cast<const char*>(at) - buffer.data()) - begin;
        line.assign(buffer.data() + begin, size);
        bench::keep(line.data());
        begin += size + 1;
        ++count;
        continue;
      }
      std::memmove(buffer.data(), buffer.data() + begin, end - begin);
      end -= begin;
      begin = 0;
      const ssize_t more = ::read(the_lines().fd, buffer.data() + end, buffer.size() - end);
      if (more <= 0) return count;
      end += static_cast<std::size_t>(more);
    }
  });
}

// --- CPython ---

double cpython() {
  const std::string program = "import io, time\n"
                              "out = io.BufferedWriter(io.FileIO('/dev/null', 'w'), 32768)\n"
                              "record = b'x' * 64\n"
                              "write = out.write\n"
                              "start = time.perf_counter_ns()\n"
                              "for i in range(1000000): write(record)\n"
                              "print((time.perf_counter_ns() - start) / 1e6)\n";
  std::FILE* python = ::popen(("python3 -c \"" + program + "\"").c_str(), "re");
  char said[64]{};
  if (python == nullptr || std::fgets(said, sizeof said, python) == nullptr) give_up("python3 did not run");
  ::pclose(python);
  return std::strtod(said, nullptr);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) {
    records /= 20;
    readings = 1;
  }
  std::atomic<bool> over{false};
  std::thread second{[&] { over.wait(false); }};

  bench::report report{"stream"};
  unsigned repetitions = 11;
  const auto row = [&](const char* name, const char* peer, double bar, const auto& mine, const auto& theirs) {
    report.add(
        {.name = name, .peer = peer, .unit = "ns", .bar = bench::at_most(bar), .repetitions = repetitions},
        mine, theirs);
  };
  const auto threads = [](auto side, unsigned count) {
    return [count] { return on_threads<typename decltype(side)::type>(count); };
  };
  row("64 bytes, one thread", "fwrite", 0.8, alone<ours>, alone<stdio>);
  row("64 bytes, one thread", "fwrite_unlocked", 1.6, alone<ours>, alone<stdio_unlocked>);
  constexpr double half_as_fast_again = 1 / 1.5;
  for (const unsigned count : {2U, 4U}) {
    const auto mine = threads(std::type_identity<ours>{}, count);
    const std::string name = "64 bytes, " + std::to_string(count) + " threads";
    row(name.c_str(), "fwrite", count == 2 ? half_as_fast_again : 1, mine,
        threads(std::type_identity<stdio>{}, count));
    row(name.c_str(), "std::ofstream behind a mutex", half_as_fast_again, mine,
        threads(std::type_identity<locked_ofstream>{}, count));
  }
  row("1 MiB", "write", 1.05, large_ours, large_plain);
  repetitions = 31;
  row("lines of 60 bytes", "std::getline on std::ifstream", 0.75, lines_ours, lines_getline);
  row("lines of 60 bytes", "memchr in a loop over read", 1.2, lines_ours, lines_by_hand);
  repetitions = 11;
  if (std::system("command -v python3 >/dev/null") == 0)
    row("64 bytes, one thread", "CPython's BufferedWriter", 0.2, alone<ours>, cpython);
  over = true;
  over.notify_all();
  second.join();
  return report.print();
}
