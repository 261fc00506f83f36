// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors

/// How fast `lastcall check` is, held against two things a user has without it:
///
/// * the bare program, started from a loop with posix_spawn and waited for, one at a time. This is the
///   ceiling: everything that the command adds (isolation, tracing, judging, reading trees) shows here.
/// * a shell loop over `strace -f -e inject=CALL:signal=SIGINT:when=N`, which delivers the same signal at the
///   same system calls, and judges nothing.
///
/// The figure is runs per second. For `git add -A` each start needs a fresh repository; making it is
/// outside the timed part of the bare loop, and inside for the two others, whose users pay for it.
#include "comparison.hpp"

#include <nlohmann/json.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using command_line = std::vector<std::string>;

/// A directory of our own that is gone at the end.
class scratch {
public:
  scratch() {
    std::string name = (fs::temp_directory_path() / "lastcall-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

/// What a shell command prints. Throws where it ends with a status not in `accepted`.
std::string output_of(const std::string& command, int accepted) {
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start: " + command);
  std::string out;
  std::array<char, 4096> block{};
  for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), pipe)) > 0;) out.append(block.data(), n);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > accepted) throw std::runtime_error("failed: " + command);
  return out;
}

/// Starts the program, its output thrown away, and waits for it.
void start_and_wait(const command_line& what, const posix_spawn_file_actions_t& silent) {
  std::vector<char*> argv;
  for (const std::string& word : what) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], &silent, nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("cannot start " + what.front());
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status != 0) throw std::runtime_error(what.front() + " failed");
}

/// Runs per second of the bare program. `prepare` is called before each start and not timed.
template <class Prepare>
double bare(const command_line& what, unsigned starts, Prepare prepare) {
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  posix_spawn_file_actions_addopen(&silent, 1, "/dev/null", 1 /* O_WRONLY */, 0);
  double spent = 0;
  for (unsigned i = 0; i < starts; ++i) {
    prepare();
    const double start = bench::now_ns();
    start_and_wait(what, silent);
    spent += bench::now_ns() - start;
  }
  posix_spawn_file_actions_destroy(&silent);
  return starts / (spent / 1e9);
}

/// Runs per second that `lastcall check` reports of itself.
double checked(const std::string& options_and_subject) {
  const std::string command =
      std::string{LASTCALL_COMMAND} + " check --quiet --json - " + options_and_subject + " 2>/dev/null";
  return nlohmann::json::parse(output_of(command, 1)).at("runs_per_s").get<double>();
}

/// Every point that the loop over strace visits, as lines "call N": strace counts each call by itself.
/// Reading them is not timed.
std::string points_of(const std::string& prepare, const std::string& subject) {
  return output_of(prepare + " strace -f -o /dev/stdout " + subject +
                       R"( | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' | awk '{ print $1, ++seen[$1] }')",
                   0);
}

/// Runs per second of the loop over strace, one start for each point. Its user has to choose how long a run
/// may take; two seconds flatter it.
double straced(const std::string& prepare, const std::string& subject, const std::string& points) {
  const auto runs = std::count(points.begin(), points.end(), '\n');
  const std::string loop = "printf '%s' '" + points + "' | while read -r call n; do " + prepare +
                           " timeout 2 strace -f -o /dev/null -e inject=$call:signal=SIGINT:when=$n " +
                           subject + " >/dev/null 2>&1 </dev/null; done; true";
  const double start = bench::now_ns();
  bench::keep(output_of(loop, 0).size());
  return static_cast<double>(runs) / ((bench::now_ns() - start) / 1e9);
}

void make_repository(const fs::path& where) {
  bench::keep(
      output_of("git init -q '" + where.string() + "' && mkdir '" + where.string() + "/src'", 0).size());
  std::ofstream(where / "README") << "hello\n";
  std::ofstream numbers(where / "src/numbers.txt");
  for (int i = 1; i <= 1000; ++i) numbers << i << '\n';
}

void compare_true(bench::report& report) {
  const auto ours = [] { return checked("--signal INT,TERM -- /bin/true"); };
  report.add({.name = "/bin/true",
              .peer = "posix_spawn loop",
              .unit = "runs/s",
              .bar = bench::at_least(0.35),
              .repetitions = 9},
             ours, [] { return bare({"/bin/true"}, 500, [] {}); });
  report.add({.name = "/bin/true",
              .peer = "shell loop over strace",
              .unit = "runs/s",
              .bar = bench::at_least(3),
              .repetitions = 5},
             ours, [points = points_of("", "/bin/true")] { return straced("", "/bin/true", points); });
}

void compare_git(bench::report& report) {
  const scratch work;
  const fs::path repository = work.path() / "repository";
  const fs::path copy = work.path() / "copy";
  make_repository(repository);
  const auto fresh = [&] {
    fs::remove_all(copy);
    fs::copy(repository, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  };
  const auto ours = [&] { return checked("--signal INT --dir '" + repository.string() + "' -- git add -A"); };
  report.add({.name = "git add -A",
              .peer = "posix_spawn loop",
              .unit = "runs/s",
              .bar = bench::at_least(0.5),
              .repetitions = 5},
             ours, [&] {
               return bare({"git", "-C", copy.string(), "add", "-A"}, 100, fresh);
             });
  const std::string renew =
      "rm -rf '" + copy.string() + "'; cp -a '" + repository.string() + "' '" + copy.string() + "';";
  const std::string subject = "git -C '" + copy.string() + "' add -A";
  report.add({.name = "git add -A",
              .peer = "shell loop over strace",
              .unit = "runs/s",
              .bar = bench::at_least(3),
              .repetitions = 3},
             ours, [&, points = points_of(renew, subject)] { return straced(renew, subject, points); });
}

} // namespace

int main() {
  try {
    bench::report report{"check"};
    compare_true(report);
    compare_git(report);
    return report.print();
  } catch (const std::exception& problem) {
    std::cerr << "bench_check: " << problem.what() << '\n';
    return 2;
  }
}
