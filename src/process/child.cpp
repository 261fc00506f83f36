// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/cgroup.hpp>
#include <lastcall/process/child.hpp>

#include "interrupt/await_descriptor.hpp"
#include "process/executable_search.hpp"
#include "process/process_watch.hpp"
#include "process/stop_run.hpp"
#include "runtime/sentence.hpp"
#include "runtime/standard_output.hpp"
#include "sys/calls.hpp"
#include "sys/incarnation.hpp"
#include "sys/process_calls.hpp"
#include "sys/spawn.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

extern char** environ; // NOLINT(readability-redundant-declaration): <unistd.h> belongs to sys

namespace lastcall {

namespace {

using detail::sentence;

[[noreturn]] void refuse(sys::call which, int error, const std::string& purpose) {
  std::string text{sys::name_of(which)};
  throw std::system_error{error, std::system_category(), text.append(" (").append(purpose).append(")")};
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& each : texts) all.push_back(const_cast<char*>(each.c_str())); // exec only reads it
  all.push_back(nullptr);
  return all;
}

void check(const std::vector<std::string>& arguments, const spawn_options& options) {
  if (arguments.empty() || arguments.front().empty())
    throw std::invalid_argument{"a child needs the name of its program"};
  const auto cut = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (std::any_of(arguments.begin(), arguments.end(), cut) || cut(options.directory))
    throw std::invalid_argument{"a null character in an argument of a child"};
}

/// The descriptors that a child gets, with those of ours that are only open for it.
class plumbing {
public:
  explicit plumbing(const spawn_options& options) {
    for (const auto& each : options.descriptors) add({each.ours, each.theirs});
  }
  void connect(const child_stream& stream, int number, raw_fd& our_end) {
    switch (stream.what) {
    case child_stream::kind::inherit: return;
    case child_stream::kind::given: return add({stream.fd, number});
    case child_stream::kind::nothing: return add({keep(opened(sys::open_nothing())), number});
    case child_stream::kind::pipe: break;
    }
    int ends[2]{-1, -1};
    if (const int result = sys::make_pipe(ends); result < 0)
      refuse(sys::call::pipe, -result, "a stream of a child");
    const bool reads = number == 0;
    our_end = raw_fd::own(ends[reads ? 1 : 0]);
    add({keep(ends[reads ? 0 : 1]), number});
  }
  [[nodiscard]] const std::vector<sys::handed_fd>& all() const noexcept { return all_; }

private:
  static int opened(int fd) {
    if (fd < 0) refuse(sys::call::openat, -fd, "/dev/null");
    return fd;
  }
  int keep(int fd) {
    open_.push_back(raw_fd::own(fd));
    return fd;
  }
  void add(sys::handed_fd one) {
    const auto same = [&](const sys::handed_fd& other) { return other.to == one.to; };
    if (one.to < 0 || std::any_of(all_.begin(), all_.end(), same))
      throw std::invalid_argument{"a child's descriptor " + std::to_string(one.to) +
                                  (one.to < 0 ? " is no number" : " is given twice")};
    all_.push_back(one);
  }

  std::vector<sys::handed_fd> all_;
  std::vector<raw_fd> open_;
};

std::string about(const sys::spawning& what, const std::string& program, const spawn_options& options) {
  using sys::call;
  const auto at = static_cast<std::size_t>(std::max(what.failed_at, 0));
  switch (what.failed) {
  case call::execve: return program;
  case call::chdir: return options.directory;
  case call::fcntl: return program + ", descriptor " + std::to_string(what.fds[at].from);
  case call::dup: return program + ", as descriptor " + std::to_string(what.fds[at].to);
  case call::write: return options.inside->path() + "/cgroup.procs";
  case call::prlimit: return program + ", resource " + std::to_string(what.limits[at].resource);
  default: return program;
  }
}

} // namespace

child::child(const std::vector<std::string>& arguments, spawn_options options) {
  check(arguments, options);
  sys::prepare_incarnation();
  made_in_ = sys::this_incarnation();
  const auto places = detail::places_of(arguments.front(), detail::search_path());
  const std::vector<char*> paths = pointers_to(places), words = pointers_to(arguments);
  std::vector<char*> environment;
  if (options.environment) environment = pointers_to(*options.environment);
  plumbing pipes{options};
  pipes.connect(options.input, 0, input_);
  pipes.connect(options.output, 1, output_);
  pipes.connect(options.errors, 2, errors_);
  std::vector<int> spare(pipes.all().size());
  std::vector<sys::resource_limit> limits;
  limits.reserve(options.limits.size());
  for (const auto& each : options.limits) limits.push_back({each.resource, each.soft, each.hard});
  options_ = std::make_unique<spawn_options>(std::move(options));

  sys::spawning what;
  what.paths = paths.data();
  what.arguments = words.data();
  what.environment = options_->environment ? environment.data() : environ;
  what.directory = options_->directory.empty() ? nullptr : options_->directory.c_str();
  what.fds = pipes.all().data();
  what.spare = spare.data();
  what.fd_count = spare.size();
  what.limits = limits.data();
  what.limit_count = limits.size();
  what.new_session = options_->group == process_group::session;
  what.group = options_->group == process_group::own ? 0 : -1;
  what.parent_death_signal = options_->parent_death_signal;
  what.parent = sys::getpid();
  if (options_->inside != nullptr) what.entrance = options_->inside->entrance();
  pid_ = sys::spawn(what);
  if (pid_ < 0) {
    const std::string purpose = about(what, arguments.front(), *options_);
    options_.reset();
    refuse(what.failed, what.error, purpose);
  }
  pidfd_ = raw_fd::own(what.pidfd);
}

child::~child() {
  if (options_ != nullptr && made_in_ != sys::this_incarnation()) options_.reset();
  if (options_ != nullptr && !end()) stop(deadline::after(options_->plan.whole()));
  if (options_ != nullptr && !end())
    detail::tell_standard_error(
        sentence{"lastcall: child ", pid_, " did not end by its stop plan and is left behind\n"},
        std::chrono::milliseconds{100});
  detach();
}

child::child(child&& other) noexcept
    : pid_{std::exchange(other.pid_, 0)},
      pidfd_{std::move(other.pidfd_)},
      input_{std::move(other.input_)},
      output_{std::move(other.output_)},
      errors_{std::move(other.errors_)},
      end_{std::exchange(other.end_, std::nullopt)},
      options_{std::move(other.options_)} {}

child& child::operator=(child&& other) noexcept {
  if (this != &other) {
    this->~child();
    new (this) child{std::move(other)};
  }
  return *this;
}

const std::optional<process_end>& child::end() noexcept {
  if (!end_ && pidfd_.is_open()) end_ = detail::reaped(pid_, pidfd_.number());
  return end_;
}

const std::optional<process_end>& child::wait_until(deadline until) {
  while (!end() && pidfd_.is_open() && detail::await_readable(pidfd_.number(), until)) {
  }
  return end();
}

bool child::signal(int number) noexcept {
  return pidfd_.is_open() && sys::pidfd_send_signal(pidfd_.number(), number) >= 0;
}

bool child::signal_group(int number) noexcept {
  if (options_ == nullptr || options_->group == process_group::inherit) return signal(number);
  return sys::signal_process(-pid_, number) >= 0;
}

stop_result child::stop(deadline until) noexcept {
  return stop(options_ != nullptr ? options_->plan : stop_plan{}, until);
}

stop_result child::stop(const stop_plan& plan, deadline until) noexcept {
  stop_result result;
  if (!pidfd_.is_open()) return {end(), 0};
  detail::stop_run run{plan, until};
  while (!end()) {
    const stop_step* const step = run.next();
    if (step == nullptr) break;
    if (step->what == stop_step::kind::signal)
      signal(step->signal);
    else if (options_ != nullptr && options_->ask)
      options_->ask(*this);
    else
      input_ = {};
    ++result.steps;
    if (!ended_within(run.wait()) && options_ != nullptr && options_->on_late)
      options_->on_late(*this, *step);
  }
  result.end = end();
  return result;
}

bool child::ended_within(duration span) noexcept {
  return detail::ended_within(pidfd_.number(), deadline::after(span)) && end().has_value();
}

void child::detach() noexcept {
  options_.reset();
  pidfd_ = {};
}

} // namespace lastcall
