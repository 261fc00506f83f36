// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A pool of four is filled with four tasks that never return, and what stops the program needs a thread of
// that pool. With Python's ThreadPoolExecutor the stop is never called: it waits in the queue behind tasks
// that do not end, and so does the program. Here the stop runs on the pool's reserve lane, the pool is
// dropped by a deadline, the tasks that have not ended are named, and the program ends with the status that
// says that a deadline has passed.
#include "arguments.hpp"
#include "say.hpp"

#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/application.hpp>

#ifdef EXAMPLE_STACKS
#include <lastcall/stacks/stacks.hpp>
#endif

#include <latch>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using example::say;
using lastcall::deadline;

namespace {

constexpr int threads = 4;

struct settings {
  std::chrono::milliseconds pace = 1s;
  std::chrono::milliseconds lasting = example::for_ever;
  std::chrono::milliseconds patience = 1s;
  long endless = threads;
  long late_status = 75;
};

/// As many of its tasks as are asked for never return; the others end when they are asked to.
class workers {
public:
  explicit workers(const settings& set) : set_{set} {}

  void start() {
    pool_.emplace(lastcall::pool_options{.name = "workers", .threads = threads});
    for (int i = 0; i < threads; ++i) {
      const std::string label = "process " + std::to_string(i + 1);
      if (i < set_.endless)
        pool_->post(label, [this] { process_for_ever(); });
      else
        pool_->post(label, [this](std::stop_token stop) { process_until(stop); });
    }
    all_begun_.wait();
    say("workers: all threads are taken");
  }

  void stop(lastcall::context& at) {
    // What the stop needs finds a thread, though all four are taken.
    auto last_words = pool_->submit_final("stop", [] { say("workers: stop runs on the reserve"); });
    if (!last_words.wait_until(at.due())) return;
    const auto left = pool_->drop(earlier(at.due(), deadline::after(set_.patience)));
    if (left.clean())
      say("workers: all tasks have ended");
    else
      say("workers: " + describe(left));
  }

private:
  void process_for_ever() {
    all_begun_.count_down();
    for (;;) std::this_thread::sleep_for(set_.pace); // asks nobody whether it should stop
  }
  void process_until(const std::stop_token& stop) {
    all_begun_.count_down();
    while (lastcall::io::sleep_for(set_.pace, stop)) {
    }
  }

  const settings set_;
  std::latch all_begun_{threads};
  std::optional<lastcall::thread_pool>
      pool_; // needs the application's runtime, which is there from its start on
};

int serve(const settings& set) {
#ifdef EXAMPLE_STACKS
  const lastcall::stacks_in_reports shown;
#endif
  const auto tell = [](const lastcall::report& what) {
    say("main: " + what.why);
    if (!what.clean()) say(describe(what));
  };
  lastcall::application_options options{.grace = 10s, .on_report = tell};
  options.statuses.deadline_passed = static_cast<int>(set.late_status);
  lastcall::application app{"06_pool_drain", options};
  app.add<workers>("workers", set);
  return app.run_for(set.lasting);
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(
      argc, argv, "Fills a pool with tasks that never return, and stops it all the same.",
      {{"--pace", "how long each step of a task takes (1s)", set.pace},
       {"--for", "stop after running for that time; without it, never", set.lasting},
       {"--patience", "how long the stop waits for the tasks (1s)", set.patience},
       {"--endless", "how many of the four tasks never return (4)", set.endless},
       {"--late-status", "the exit status when tasks are left; with 0 what else happened decides (75)",
        set.late_status}},
      [&] { return serve(set); });
}
