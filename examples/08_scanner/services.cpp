// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "services.hpp"

#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/sleep.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::settled;
using lastcall::task;

namespace {

[[noreturn]] void throw_late(std::string_view who) {
  throw std::system_error{std::make_error_code(std::errc::timed_out), std::string{who} + " does not start"};
}

std::string count_of(std::size_t count, std::string_view what) {
  return std::to_string(count).append(" ").append(what);
}

} // namespace

// --- threads ---

void threads::start() {
  const auto& set = around_.set;
  pool_.emplace(lastcall::pool_options{.name = "threads", .threads = static_cast<std::size_t>(set.threads)});
  try {
    // Threads that are there need not be ones that work.
    auto first =
        pool_->submit("the first task", [how = set.fault.of("threads")] { commit(how, "a thread"); });
    if (!first.wait_until(deadline::after(set.start_within))) throw_late("a thread");
    first.take();
  } catch (...) {
    pool_->drop(deadline::after(1s));
    throw;
  }
}

void threads::stop(lastcall::context& at) {
  const auto left = pool_->drop(at.due());
  if (left.late()) throw std::runtime_error{describe(left)};
}

// --- event_loop ---

namespace {

/// What nobody awaits. That the workers' stop has ended a call which had been left is as it should be.
void tell(journal& log, const lastcall::loop_exception& what) {
  const std::string where{what.where};
  try {
    std::rethrow_exception(what.error);
  } catch (const lastcall::pool_error& error) {
    if (error.code() == lastcall::pool_errc::stopped_while_waiting ||
        error.code() == lastcall::pool_errc::stopped)
      return log.note("loop", where + ": " + error.what());
    log.complain("loop", where + ": " + error.what());
  } catch (const std::exception& error) {
    log.complain("loop", where + ": " + error.what());
  } catch (...) {
    log.complain("loop", where + " failed");
  }
}

lastcall::loop_options options_for(journal& log) {
  lastcall::loop_options options{.name = "loop"};
  options.on_exception = [&log](const lastcall::loop_exception& what) { tell(log, what); };
  return options;
}

} // namespace

event_loop::event_loop(surroundings around) : loop_thread{options_for(around.log)}, around_{around} {}

void event_loop::start() {
  loop_thread::start();
  try {
    require_answer();
  } catch (...) {
    lastcall::context at{"loop", {}, deadline::after(1s)};
    loop_thread::stop(at);
    throw;
  }
}

void event_loop::require_answer() {
  const auto answer = std::make_shared<std::packaged_task<void()>>(
      [how = around_.set.fault.of("loop")] { commit(how, "the loop"); });
  auto answered = answer->get_future();
  handle().post([answer] { (*answer)(); });
  if (answered.wait_for(around_.set.start_within) != std::future_status::ready) throw_late("the loop");
  answered.get();
}

// --- scan_service ---

task<> scan_service::start() {
  auto make = [this] { make_workers(); };
  co_await lastcall::to_thread(threads_.pool(), "start the workers", std::move(make));
  // What comes after, in whoever has acquired something, may fail, too. Then that is given back.
  auto rest = [this]() -> task<> {
    if (around_.set.fault.of("service") == fault_kind::hangs)
      co_await lastcall::sleep_until(deadline::never());
    commit(around_.set.fault.of("service"), "the service");
  };
  auto how = co_await settled(lastcall::fail_after(around_.set.start_within, std::move(rest)));
  if (how.failed() || how.was_cancelled()) {
    auto stop = [this] { workers_->stop(); };
    co_await lastcall::to_thread_final(threads_.pool(), "stop the workers", std::move(stop));
  }
  std::move(how).take();
}

void scan_service::make_workers() {
  workers_.emplace(around_.nursery, options(), all_patterns(around_.set), habits_of_workers());
  around_.log.note("log", "the writer has pid " + std::to_string(around_.log.writer().pid()));
  const auto pids = workers_->pids();
  for (std::size_t i = 0; i < pids.size(); ++i)
    around_.log.note("service", "worker " + std::to_string(i) + " has pid " + std::to_string(pids[i]));
}

lastcall::worker_options scan_service::options() const {
  lastcall::worker_options options;
  options.name = "worker";
  options.workers = static_cast<std::size_t>(around_.set.workers);
  options.start_within = around_.set.start_within;
  options.on_crash = around_.set.crash;
  options.log = &around_.log.writer();
  journal& log = around_.log;
  options.on_end = [&log](const lastcall::worker_end& what) {
    if (what.asked && what.end.success())
      log.note("service", what.text);
    else
      log.complain("service", what.text);
  };
  options.on_request = [&log](const lastcall::worker_request& what) {
    log.note("service",
             "worker " + std::to_string(what.worker) + " got signal " + std::to_string(what.signal));
  };
  return options;
}

habits scan_service::habits_of_workers() const {
  const auto& set = around_.set;
  habits how;
  how.block = set.block;
  how.busy_ns = lastcall::duration{set.busy}.count();
  how.pace_ns = lastcall::duration{set.pace}.count();
  how.log_began_ns = around_.log.began().time_since_epoch().count();
  how.talkative = around_.log.talkative();
  for (int i = 0; i < set.workers; ++i) {
    const auto fault = set.fault.of("worker-" + std::to_string(i));
    if (fault == fault_kind::none) continue;
    how.faulty = i;
    how.fault = fault;
  }
  return how;
}

task<> scan_service::stop(lastcall::context& at) {
  lastcall::workers_report report;
  auto stop = [this, &at, &report] { report = workers_->stop(at.due()); };
  co_await lastcall::to_thread_final(threads_.pool(), "stop the workers", std::move(stop));
  around_.log.note("service", count_of(report.ends.size(), "workers have ended, ") +
                                  count_of(report.calls_dropped, "calls were dropped"));
  if (!report.in_time) throw std::runtime_error{count_of(report.left_behind.size(), "workers did not end")};
}

task<block_result> scan_service::process_string(std::string text) {
  auto work = [this, text = std::move(text)] { return workers_->call<&scanner::process_string>(text).get(); };
  co_return co_await lastcall::to_thread(threads_.pool(), "process a string", std::move(work),
                                         lastcall::when_cancelled::abandon);
}

task<block_result> scan_service::process_number(std::string file, std::uint64_t number) {
  auto work = [this, file = std::move(file), number] {
    return workers_->call<&scanner::process_number>(file, number).get();
  };
  co_return co_await lastcall::to_thread(threads_.pool(), "process a number", std::move(work),
                                         lastcall::when_cancelled::abandon);
}

task<> scan_service::update(std::shared_ptr<const pattern_list> patterns, std::uint64_t edition) {
  auto work = [this, patterns = std::move(patterns), edition] {
    for (const auto& each : workers_->broadcast<&scanner::update>(*patterns, edition)) {
      try {
        each.get();
      } catch (const lastcall::pool_error& error) { // whoever takes its place is told
        if (error.code() != lastcall::pool_errc::worker_ended) throw;
      }
    }
  };
  co_await lastcall::to_thread(threads_.pool(), "update", std::move(work), lastcall::when_cancelled::abandon);
}
