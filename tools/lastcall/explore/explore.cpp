// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/explore.hpp"

#include "explore/plan.hpp"
#include "explore/worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace checker {
namespace fs = std::filesystem;
namespace {

using clock = std::chrono::steady_clock;

/// The check's own directory; gone at the end.
class own_directory {
public:
  own_directory() {
    std::error_code error;
    auto parent = fs::temp_directory_path(error);
    if (error) throw cannot_check("cannot use TMPDIR: " + error.message());
    path_ = (parent / "lastcall-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw_cannot("create a directory in " + parent.string());
  }
  ~own_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  own_directory(const own_directory&) = delete;
  own_directory& operator=(const own_directory&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// Adopts what the workers leave when they are killed (their second halves and, without namespaces, their
/// subjects, all of them killed too) and waits until it has ended: when the check is over nothing of it runs.
class orphanage {
public:
  orphanage() { (void)::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~orphanage() {
    constexpr std::chrono::seconds longest{5}; // one that is stuck in the kernel is not waited for
    constexpr std::chrono::milliseconds pause{1};
    const auto until = clock::now() + longest;
    for (pid_t ended = 0; ended >= 0 && clock::now() < until;) {
      ended = ::waitpid(-1, nullptr, WNOHANG);
      if (ended == 0) std::this_thread::sleep_for(pause);
    }
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  orphanage(const orphanage&) = delete;
  orphanage& operator=(const orphanage&) = delete;
};

unsigned processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

/// One worker a processor; more for a subject that sleeps most of its time.
unsigned choose_jobs(const options& wanted, const survey& known, std::size_t runs) {
  constexpr unsigned most_per_processor = 8;
  unsigned jobs = wanted.jobs;
  if (jobs == 0) {
    const double busy = std::max(1 - known.sleeping_share, 1.0 / most_per_processor);
    jobs = processors() *
           static_cast<unsigned>(std::lround(std::clamp(1 / busy, 1.0, double{most_per_processor})));
  }
  return static_cast<unsigned>(std::min<std::size_t>(jobs, std::max<std::size_t>(runs, 1)));
}

[[noreturn]] void throw_failure(const wire::answer& answer) {
  if (answer.undisturbed_failed) throw undisturbed_run_failed(answer.failure);
  throw cannot_check(answer.failure);
}

/// A worker's only answer; empty where the user asked to stop first.
std::optional<wire::answer> receive_unless_stopped(worker& from, int stop_fd, outcome& result) {
  std::array<pollfd, 2> waits{{{stop_fd, POLLIN, 0}, {from.channel(), POLLIN, 0}}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  result.interrupted = waits[0].revents != 0;
  if (result.interrupted) return std::nullopt;
  auto answer = from.receive();
  if (!answer) throw cannot_check("the process that was to run the program undisturbed ended by itself");
  return answer;
}

/// Hands the planned runs out and takes the answers in.
class dispatcher {
public:
  dispatcher(const run_setup& setup, const survey& known, const plan& todo, observer& tell, int stop_fd,
             outcome& result)
      : setup_(setup), known_(known), todo_(todo), tell_(tell), stop_fd_(stop_fd), result_(result) {}

  void run(clock::time_point started);

private:
  /// A second one ahead, so that a worker never waits for the next.
  static constexpr std::size_t ahead = 2;
  void fill(worker& one);
  void on_answer(worker& one);
  [[nodiscard]] int time_left(clock::time_point started) const;

  const run_setup& setup_;
  const survey& known_;
  const plan& todo_;
  observer& tell_;
  int stop_fd_;
  outcome& result_;
  std::deque<worker> workers_;
  std::uint32_t next_ = 0;
};

void dispatcher::fill(worker& one) {
  while (one.asked.size() < ahead && next_ < todo_.runs.size()) one.ask(next_++);
}

int dispatcher::time_left(clock::time_point started) const {
  if (setup_.wanted.budget <= seconds{0}) return -1;
  const seconds left = setup_.wanted.budget - (clock::now() - started);
  return std::max(0, static_cast<int>(std::chrono::milliseconds::period::den * left.count()));
}

void dispatcher::run(clock::time_point started) {
  const auto jobs = choose_jobs(setup_.wanted, known_, todo_.runs.size());
  for (unsigned i = 0; i < jobs; ++i) {
    workers_.push_back(worker::for_runs(setup_, known_, todo_.runs, i));
    fill(workers_.back());
  }
  while (result_.done < todo_.runs.size()) {
    std::vector<pollfd> waits{{stop_fd_, POLLIN, 0}};
    for (const auto& one : workers_) waits.push_back({one.channel(), POLLIN, 0});
    const int ready = ::poll(waits.data(), waits.size(), time_left(started));
    if (ready < 0 && errno == EINTR) continue;
    result_.interrupted = waits.front().revents != 0;
    result_.out_of_budget = ready == 0;
    if (result_.interrupted || result_.out_of_budget) return;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (waits[i + 1].revents != 0) on_answer(workers_[i]);
    }
  }
}

void dispatcher::on_answer(worker& one) {
  const auto number = one.asked.empty() ? next_ : one.asked.front();
  auto answer = one.receive();
  if (!answer) {
    if (number == next_) return;
    throw cannot_check("a worker process of the check ended by itself, at " + todo_.runs[number].where.key());
  }
  if (!answer->seen) throw_failure(*answer);
  ++result_.done;
  answer->seen->index = number; // runs are planned in the order of the program
  fill(one);
  tell_.on_run(*answer->seen, answer->observations);
}

} // namespace

outcome explore(const options& wanted, observer& tell, int stop_fd) {
  const auto started = clock::now();
  run_setup setup;
  setup.wanted = wanted;
  setup.program = find_program(wanted);
  if (wanted.input && ::access(wanted.input->c_str(), R_OK) != 0)
    throw_cannot("read " + wanted.input->string());
  if (wanted.dir) setup.initial = tree_image::load(*wanted.dir);
  const own_directory own;
  const orphanage adopts;
  setup.base = own.path();
  setup.isolate = wanted.isolate;

  outcome result;
  const auto note_time = [&] { result.elapsed = clock::now() - started; };
  auto surveyor = worker::for_survey(setup);
  const auto surveyed = receive_unless_stopped(surveyor, stop_fd, result);
  if (!surveyed) {
    note_time();
    return result;
  }
  if (!surveyed->known) throw_failure(*surveyed);
  const auto& known = *surveyed->known;
  setup.isolate = known.used;

  const auto todo = make_plan(wanted, known.candidates);
  result.used = known.used;
  result.points = todo.points;
  result.planned = todo.runs.size();
  tell.on_plan(known.known, result.points, result.planned);
  dispatcher{setup, known, todo, tell, stop_fd, result}.run(started);
  const bool is_whole = !result.interrupted && !result.out_of_budget;
  if (is_whole && !wanted.at) {
    auto recounter = worker::for_recount(setup, known);
    if (const auto recounted = receive_unless_stopped(recounter, stop_fd, result))
      result.moved = recounted->moved;
  }
  note_time();
  return result;
}

} // namespace checker
