// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/runner.hpp"

#include "subject/cannot_check.hpp"

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <unistd.h>

namespace checker {
namespace fs = std::filesystem;
namespace {

fs::path input_of(const options& wanted) {
  return wanted.input ? fs::absolute(*wanted.input) : fs::path{"/dev/null"};
}

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

[[noreturn]] void throw_no_program(const std::string& name, int error) {
  throw_cannot("execute " + name, error);
}

} // namespace

runner::runner(const run_setup& setup, unsigned index)
    : setup_(setup),
      sandbox_(setup.wanted.dir, setup.initial, setup.base, index, setup.isolate),
      launcher_(sandbox_.used(), input_of(setup.wanted)),
      naming_(sandbox_.seen_as().string(), sandbox_.tmp().string()) {}

trace_result runner::run_here(const std::string& program, const std::vector<std::string>& argv,
                              const trace_task& task) {
  auto subject = launcher_.create(program, argv, sandbox_.seen_as(), sandbox_.tmp());
  try {
    auto result = follow(subject, task, naming_, files_);
    launcher::close_all(subject);
    return result;
  } catch (...) {
    launcher::close_all(subject);
    throw;
  }
}

tree runner::initial_tree() {
  sandbox_.lay_out();
  return read_tree(sandbox_.work());
}

trace_result runner::run_fresh(const trace_task& task) {
  sandbox_.lay_out();
  auto result = run_here(setup_.program, setup_.wanted.argv, task);
  result.seen.work = read_tree(sandbox_.work());
  result.seen.tmp = read_tree(sandbox_.tmp());
  return result;
}

rerun runner::run_again(const trace_task& task) {
  const auto before = read_tree(sandbox_.work());
  const auto result = run_here(setup_.program, setup_.wanted.argv, task);
  return {result.seen.end, read_tree(sandbox_.work()) == before};
}

verification runner::verify() {
  trace_task task;
  task.limit = seconds{60};
  const auto result = run_here("/bin/sh", {"sh", "-c", setup_.wanted.verify}, task);
  const auto& end = result.seen.end;
  constexpr int killed = 128;
  const int status = end.how == ending::how::exited ? end.value : killed + end.value;
  return {status, result.seen.out + result.seen.err};
}

std::string find_program(const options& wanted) {
  const auto& name = wanted.argv.front();
  if (name.empty()) throw_no_program("\"\"", ENOENT);
  if (name.find('/') != std::string::npos) {
    if (is_program(name)) return fs::absolute(name).string();
    // It may stand in the copied directory only.
    if (wanted.dir && fs::path{name}.is_relative() && is_program(*wanted.dir / name)) return name;
    throw_no_program(name, fs::exists(name) ? EACCES : ENOENT);
  }
  const char* path = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe): one thread
  std::istringstream folders{path != nullptr ? path : "/usr/bin:/bin"};
  bool exists = false;
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto candidate = fs::path{folder.empty() ? "." : folder} / name;
    if (is_program(candidate)) return fs::absolute(candidate).string();
    std::error_code ignored;
    exists = exists || fs::is_regular_file(candidate, ignored);
  }
  throw_no_program(name, exists ? EACCES : ENOENT);
}

} // namespace checker
