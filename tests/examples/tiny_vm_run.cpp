// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/tiny_vm_run.hpp"

#include "compiler.hpp"

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

namespace tiny_test {
namespace {

/// A file in memory, and a stream into it that is never destroyed: a daemon may be inside.
class paper {
public:
  explicit paper(const char* name) : fd_{::memfd_create(name, MFD_CLOEXEC)} {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
    writer_ = new lastcall::buffered_writer{lastcall::raw_fd::borrow(fd_), {.name = name}};
  }
  lastcall::buffered_writer& writer() { return *writer_; }
  std::string text() {
    std::string all;
    char some[4096];
    ::lseek(fd_, 0, SEEK_SET);
    for (ssize_t got = 0; (got = ::read(fd_, some, sizeof some)) > 0;)
      all.append(some, static_cast<std::size_t>(got));
    return all;
  }

private:
  int fd_;
  lastcall::buffered_writer* writer_;
};

void standard_input(int fd) {
  if (fd < 0 || ::dup2(fd, STDIN_FILENO) < 0) std::abort();
}

} // namespace

std::shared_ptr<const tiny::program> compiled(std::string_view source, tiny::layout how) {
  return std::make_shared<tiny::program>(tiny::compile(source, how));
}

ran run(std::string_view source, tiny::layout how, tiny::watcher* watched) {
  static lastcall::immortal<std::vector<std::unique_ptr<paper>>> papers; // a leak checker finds them here
  const auto code = compiled(source, how);
  auto& out = *papers->emplace_back(std::make_unique<paper>("out"));
  auto& err = *papers->emplace_back(std::make_unique<paper>("err"));
  ran what;
  {
    lastcall::runtime runtime{{.name = "script"}};
    try {
      what.failed =
          tiny::play(code,
                     {.out = &out.writer(),
                      .err = &err.writer(),
                      .watch = watched != nullptr || how == tiny::layout::y2017 ? tiny::watch::counted
                                                                                : tiny::watch::word,
                      .main = watched},
                     what.counts)
              .failed;
    } catch (const lastcall::interrupted&) {
      what.interrupted = true;
    }
    what.clean = runtime.finalize().clean();
  }
  what.out = out.text();
  what.err = err.text();
  return what;
}

std::string path_of(const std::string& script) { return LASTCALL_TEST_SCRIPTS "/" + script + ".tiny"; }

std::string text_of(const std::string& script) {
  std::ifstream in{path_of(script)};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> all_scripts() {
  std::vector<std::string> names;
  for (const auto& one : std::filesystem::directory_iterator{LASTCALL_TEST_SCRIPTS})
    names.push_back(one.path().stem());
  std::ranges::sort(names);
  return names;
}

void input_that_never_comes() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, 0) != 0) std::abort();
  standard_input(ends[0]); // the other end stays open
}

void input_that_has_ended() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, 0) != 0) std::abort();
  ::close(ends[1]);
  standard_input(ends[0]);
}

} // namespace tiny_test
