// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace example_test {
namespace {

[[noreturn]] void become(std::vector<std::string>& words, int out, const std::string& file) {
  dup2(out, STDERR_FILENO);
  dup2(file.empty() ? out : open(file.c_str(), O_WRONLY), STDOUT_FILENO);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  // A daemon that does not end within its grace is left behind, which is no failure; ThreadSanitizer calls it
  // a leak.
  const char* const before = getenv("TSAN_OPTIONS");
  setenv("TSAN_OPTIONS", (std::string{before != nullptr ? before : ""} + " report_thread_leaks=0").c_str(),
         1);
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  alarm(30);
  execvp(raw[0], raw.data());
  _exit(127);
}

// Where the examples are for another processor, the words of the emulator; else none.
std::vector<std::string> emulator() {
  std::istringstream in{LASTCALL_TEST_EMULATOR};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

} // namespace

child::child(const std::string& program, const std::vector<std::string>& arguments,
             const std::string& output_file) {
  auto words = emulator();
  words.push_back(LASTCALL_TEST_EXAMPLES "/" + program);
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  pid_ = fork();
  if (pid_ == 0) become(words, ends[1], output_file);
  close(ends[1]);
  out_ = ends[0];
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
}

child::~child() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
}

bool child::read_some() {
  std::array<char, 4096> some{};
  const auto got = read(out_, some.data(), some.size());
  if (got > 0) output_.append(some.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

const std::string& child::read_until(const std::string& text) {
  const auto there = [&] {
    const auto at = output_.find(text);
    return at != output_.npos && output_.find('\n', at) != output_.npos;
  };
  while (!there() && read_some()) continue;
  return output_;
}

void child::send(int signal) const { kill(pid_, signal); }

int child::wait() {
  while (read_some()) continue;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return status;
}

} // namespace example_test
