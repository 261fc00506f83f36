// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "signal_sender.hpp"

#include "comparison.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {
namespace {

int checked(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return static_cast<int>(result);
}

// The third word of /proc/…/stat: S while it sleeps. The second is a name in parentheses.
bool sleeps(const std::filesystem::path& task) {
  std::ifstream file{task / "stat"};
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] == 'S';
}

bool all_sleep(pid_t process) {
  std::error_code gone;
  const std::filesystem::directory_iterator tasks{"/proc/" + std::to_string(process) + "/task", gone};
  return !gone && std::all_of(begin(tasks), end(tasks), [](const auto& task) { return sleeps(task.path()); });
}

} // namespace

pid_t this_thread() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

signal_sender::signal_sender() {
  void* memory = ::mmap(nullptr, sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  sent_ = static_cast<double*>(memory);
  int ends[2];
  checked(::pipe(ends), "pipe");
  const pid_t maker = ::getpid();
  process_ = checked(::fork(), "fork");
  if (process_ == 0) {
    ::close(ends[1]);
    serve(maker, ends[0]);
  }
  ::close(ends[0]);
  wishes_ = ends[1];
}

signal_sender::~signal_sender() {
  ::close(wishes_); // it reads the end, and leaves
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::munmap(sent_, sizeof *sent_);
}

void signal_sender::serve(pid_t maker, int wishes) noexcept {
  wish next{};
  while (::read(wishes, &next, sizeof next) == sizeof next) {
    while (!all_sleep(maker)) std::this_thread::sleep_for(std::chrono::microseconds{50});
    *sent_ = now_ns(); // the signal itself publishes it
    if (::syscall(SYS_tgkill, maker, next.thread, next.signal) < 0) break;
  }
  ::_exit(0);
}

void signal_sender::ask(pid_t thread, int signal) const {
  const wish next{thread, signal};
  checked(::write(wishes_, &next, sizeof next), "write to the sender");
}

double signal_sender::sent_ns() const noexcept { return *static_cast<const volatile double*>(sent_); }

} // namespace bench
