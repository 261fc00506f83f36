// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "job.hpp"

#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/finally.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/to_thread.hpp>
#include <lastcall/task/use_task.hpp>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::nursery;
using lastcall::settled;
using lastcall::task;
using lastcall::when_cancelled;

namespace {

/// What is cancelled goes on to be it; what has failed is the caller's to look at.
template <class T>
void pass_on_cancellation(lastcall::task_end<T>& how) {
  if (how.was_cancelled()) std::move(how).take();
}

/// How long a stop may be kept waiting by an update, or by a block.
constexpr auto shield_at_most = 5s;

/// Runs it behind a shield, or without one.
/// (By an `if`: GCC 12 destroys what both branches of a conditional operator would have made.)
template <class Body>
auto shielded_or_not(bool shield, Body body) -> decltype(body()) {
  if (shield) return lastcall::shielded(shield_at_most, std::move(body));
  return [](Body plain) -> decltype(plain()) { co_return co_await plain(); }(std::move(body));
}

/// `fn`, on a thread, as a task.
template <class Fn>
auto on_thread(lastcall::thread_pool& pool, std::string_view label, Fn fn, when_cancelled policy)
    -> task<lastcall::detail::task_result<Fn>> {
  co_return co_await lastcall::to_thread(pool, label, std::move(fn), policy);
}

/// Errors of one block, after which the others go on.
bool concerns_one_block(const lastcall::pool_error& error) {
  return error.code() == lastcall::pool_errc::call_failed ||
         error.code() == lastcall::pool_errc::worker_ended;
}

} // namespace

scan_job::scan_job(lastcall::loop& in, surroundings around, threads& on, scan_service& service)
    : around_{around},
      threads_{on},
      service_{service},
      tasks_{in, {.name = "job", .error = lastcall::on_child_error::report}},
      results_{around.set.in_order},
      out_{lastcall::raw_fd::borrow(STDOUT_FILENO), {.name = "matches"}} {
  editions_[0] = std::make_shared<pattern_list>(all_patterns(around.set));
  if (!around.set.pattern_file.empty()) hang_ups_.emplace(in.context(), SIGHUP);
}

task<> scan_job::start() {
  auto rest = [this]() -> task<> {
    if (around_.set.fault.of("job") == fault_kind::hangs) co_await lastcall::sleep_until(deadline::never());
    commit(around_.set.fault.of("job"), "the job");
  };
  co_await lastcall::fail_after(around_.set.start_within, std::move(rest));
  tasks_.start([this] { return work_on_and_on(); });
  if (hang_ups_ || around_.set.update_every != example::for_ever)
    tasks_.start([this] { return update_on_and_on(); });
  if (around_.set.log != "-" && ::isatty(STDERR_FILENO) != 0)
    tasks_.start([this] { return show_progress(); });
}

task<> scan_job::stop(lastcall::context& at) {
  tasks_.cancel("stop");
  co_await tasks_.join();
  at.progress("printing the last matches");
  auto last = [this] {
    write(pending_ + results_.take());
    flush();
  };
  co_await lastcall::to_thread_final(threads_.pool(), "print", std::move(last));
}

task<int> scan_job::finished() {
  co_await done_;
  if (failure_) std::rethrow_exception(failure_);
  co_return trouble_ ? 2 : results_.matches() > 0 ? 0 : 1;
}

// --- the files ---

task<> scan_job::work_on_and_on() {
  auto passes = [this]() -> task<> {
    for (;;) {
      co_await scan_all();
      if (around_.set.again == example::for_ever) co_return;
      around_.log.note("job", "a pass is done");
      co_await lastcall::sleep_for(around_.set.again);
    }
  };
  auto how = co_await settled(passes());
  pass_on_cancellation(how);
  if (how.failed()) failure_ = how.error();
  around_.log.note("job", failure_ ? "failed" : "done");
  done_.set();
}

task<> scan_job::scan_all() {
  auto files = [this](nursery& blocks) -> task<> {
    for (const auto& each : around_.set.files) co_await scan_file(blocks, each);
  };
  co_await lastcall::with_nursery({.name = "blocks"}, std::move(files));
  co_await print();
  auto all = [this] { flush(); };
  co_await lastcall::to_thread(threads_.pool(), "flush", std::move(all));
}

task<> scan_job::scan_file(nursery& blocks, std::string name) {
  const auto file = results_.begin(name == "-" ? "(standard input)" : name);
  auto look = [name, block = around_.set.block] { return look_at(name, block); };
  auto what = co_await settled(
      on_thread(threads_.pool(), "look at a file", std::move(look), when_cancelled::abandon));
  pass_on_cancellation(what);
  try {
    if (what.failed()) std::rethrow_exception(what.error());
  } catch (const std::system_error& error) {
    cannot(file, error.what());
    co_return;
  }
  const auto found = std::move(what).take();
  if (!found.regular) {
    co_await scan_text(blocks, name, file);
    co_return;
  }
  for (std::uint64_t i = 0; i < found.blocks; ++i) {
    co_await room();
    ++in_flight_;
    blocks.start([this, name, file, i] { return process(name, file, i, std::nullopt); });
  }
  results_.end(file, found.blocks);
}

task<> scan_job::scan_text(nursery& blocks, std::string name, std::size_t file) {
  const auto source = std::make_shared<std::optional<text_source>>();
  std::uint64_t count = 0;
  for (;; ++count) {
    auto read = [source, name, about = around_.set.block](const lastcall::stop_token& stop) {
      if (!*source) source->emplace(name, stop);
      return (*source)->next(about, stop);
    };
    auto text =
        co_await settled(on_thread(threads_.pool(), "read a text", std::move(read), when_cancelled::wait));
    pass_on_cancellation(text);
    try {
      if (text.failed()) std::rethrow_exception(text.error());
    } catch (const std::runtime_error& error) {
      cannot(file, error.what());
      co_return;
    }
    auto piece = std::move(text).take();
    if (piece.empty()) break;
    co_await room();
    ++in_flight_;
    blocks.start([this, name, file, count, piece = std::move(piece)]() mutable {
      return process(name, file, count, std::move(piece));
    });
  }
  results_.end(file, count);
}

task<> scan_job::room() {
  while (in_flight_ >= static_cast<std::size_t>(around_.set.tasks)) {
    freed_.clear();
    co_await freed_;
  }
}

// A block, by its number or as the string that it is.
task<> scan_job::process(std::string name, std::size_t file, std::uint64_t block,
                         std::optional<std::string> text) {
  auto search = [this, &name, block, &text] { return searched(name, block, std::move(text)); };
  auto how = co_await settled(shielded_or_not(around_.set.shielded_blocks, std::move(search)));
  --in_flight_;
  ++searched_;
  freed_.set();
  pass_on_cancellation(how);
  try {
    if (how.failed()) std::rethrow_exception(how.error());
    auto found = std::move(how).take();
    auto by = editions_.at(std::get<0>(found));
    results_.add(file, block, std::move(found), std::move(by));
  } catch (const lastcall::pool_error& error) {
    if (!concerns_one_block(error)) throw;
    cannot(file, name + ": block " + std::to_string(block) + ": " + error.what());
  }
  co_await print();
}

task<block_result> scan_job::searched(std::string name, std::uint64_t block,
                                      std::optional<std::string> text) {
  if (text) co_return co_await service_.process_string(std::move(*text));
  co_return co_await service_.process_number(std::move(name), block);
}

void scan_job::cannot(std::size_t file, std::string_view why) {
  trouble_ = true;
  results_.fail(file);
  around_.log.complain("", why);
}

// --- the output ---

// Whoever comes first prints for all, in order; it may take long, on a pipe that nobody reads.
task<> scan_job::print() {
  pending_ += results_.take();
  if (printing_) co_return;
  struct only_one {
    bool& flag;
    explicit only_one(bool& of) : flag{of} { flag = true; }
    ~only_one() { flag = false; }
  } const here{printing_};
  while (!pending_.empty()) {
    const auto text = std::make_shared<std::string>(std::exchange(pending_, {}));
    auto work = [this, text] { write(std::exchange(*text, {})); };
    auto how = co_await settled(on_thread(threads_.pool(), "print", std::move(work), when_cancelled::wait));
    pending_.insert(0, *text); // nobody began to print it: the stop does
    if (how.failed() || how.was_cancelled()) std::move(how).take();
  }
}

void scan_job::write(const std::string& text) {
  std::error_code error;
  if (!text.empty()) out_.write(text, error);
  if (error) around_.log.complain("standard output", error.message());
}

void scan_job::flush() {
  std::error_code error;
  out_.flush(error);
  if (error) around_.log.complain("standard output", error.message());
}

// --- updates ---

task<> scan_job::update_on_and_on() {
  for (;;) {
    auto wait = [this] { return hang_up(); };
    co_await lastcall::move_on_after(around_.set.update_every, std::move(wait));
    auto change = [this] { return update(); };
    auto how = co_await settled(shielded_or_not(around_.set.shielded_updates, std::move(change)));
    pass_on_cancellation(how);
    try {
      if (how.failed()) std::rethrow_exception(how.error());
    } catch (const std::exception& error) { // the patterns stay as they are
      around_.log.complain("update", error.what());
    }
  }
}

task<> scan_job::hang_up() {
  if (!hang_ups_) co_await lastcall::sleep_until(deadline::never());
  co_await hang_ups_->async_wait(lastcall::use_task);
  around_.log.note("job", "SIGHUP");
}

task<> scan_job::update() {
  around_.log.note("update", "begins");
  try {
    auto read = [this] { return all_patterns(around_.set); };
    auto patterns = std::make_shared<const pattern_list>(
        co_await lastcall::to_thread(threads_.pool(), "read the patterns", std::move(read)));
    editions_[++edition_] = patterns;
    co_await service_.update(patterns, edition_);
  } catch (const lastcall::cancelled&) {
    around_.log.note("update", "was cut");
    throw;
  }
  around_.log.note("update", "is done: edition " + std::to_string(edition_));
}

// --- the line on a terminal ---

task<> scan_job::show_progress() {
  auto tell = [this]() -> task<> {
    for (;;) {
      co_await lastcall::sleep_for(200ms);
      std::fprintf(stderr, "\r%llu blocks, %llu matches, edition %llu\x1b[K",
                   static_cast<unsigned long long>(searched_),
                   static_cast<unsigned long long>(results_.matches()),
                   static_cast<unsigned long long>(edition_));
    }
  };
  auto clear = []() -> task<> {
    std::fputs("\r\x1b[K", stderr);
    co_return;
  };
  co_await lastcall::finally(std::move(tell), std::move(clear), 1s);
}
