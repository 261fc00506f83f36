// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace checker::e2e {
namespace fs = std::filesystem;

scratch::scratch() {
  std::string made = (fs::temp_directory_path() / "check_e2e_XXXXXX").string();
  if (!::mkdtemp(made.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = made;
}

scratch::~scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void scratch::write(const std::string& name, const std::string& content) const {
  fs::create_directories((path_ / name).parent_path());
  std::ofstream{path_ / name, std::ios::binary} << content;
}

std::string scratch::read(const std::string& name) const {
  std::ifstream in{path_ / name, std::ios::binary};
  return {std::istreambuf_iterator<char>(in), {}};
}

bool scratch::empty() const { return fs::is_empty(path_); }

int result::exit_status() const { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

result run_command(const words& command, const std::function<void()>& prepare) {
  const scratch captured;
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::string out = captured / "out";
  const std::string err = captured / "err";
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    ::alarm(170); // it survives the exec, and ends before ctest's limit: what it wrote is then shown
    const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(to_out, STDOUT_FILENO);
    ::dup2(to_err, STDERR_FILENO);
    ::close(to_out);
    ::close(to_err);
    if (prepare) prepare();
    ::execvp(argv[0], argv.data());
    ::_exit(126);
  }
  result done;
  while (::waitpid(child, &done.status, 0) < 0 && errno == EINTR) {
  }
  done.out = captured.read("out");
  done.err = captured.read("err");
  return done;
}

std::set<std::string> checked::verdicts() const {
  std::set<std::string> all;
  if (report.is_object())
    for (const auto& each : report.at("findings")) all.insert(each.at("verdict").get<std::string>());
  return all;
}

const nlohmann::json* checked::finding(const std::string& verdict) const {
  if (report.is_object())
    for (const auto& each : report.at("findings"))
      if (each.at("verdict") == verdict) return &each;
  return nullptr;
}

std::string checked::all() const {
  return "status " + std::to_string(status) + "\n--- out\n" + out + "\n--- err\n" + err + "\n--- json\n" +
         report.dump(1);
}

std::string command_path() { return LASTCALL_COMMAND; }

std::string subject(const std::string& kind_slash_name) {
  return std::string(LASTCALL_SUBJECTS) + '/' + kind_slash_name;
}

checked check(const words& options, const words& argv, const std::function<void()>& prepare) {
  const scratch where;
  words command{command_path(), "check", "--json", where / "report.json"};
  command.insert(command.end(), options.begin(), options.end());
  command.emplace_back("--");
  command.insert(command.end(), argv.begin(), argv.end());
  checked done;
  static_cast<result&>(done) = run_command(command, prepare);
  const auto text = where.read("report.json");
  if (!text.empty()) done.report = nlohmann::json::parse(text);
  return done;
}

} // namespace checker::e2e
