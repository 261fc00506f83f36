// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A worker: makes an object, calls its methods, says what they return.
//
// One thread does that, with one call at a time: what is queued is queued at the manager, where a broadcast
// can pass it and a stop can pass both. Requests to this process are taken by a signal_scope of its own, so
// code of the program meets them as it does everywhere: at checkpoints, unless a shield is up.
//
//     on_interrupt           shield up while                     a request is delivered
//     ignore_until_stop      always                              never
//     end_quietly            the object is made and destroyed    in the call, or between two
//     deliver_after          … and in each call                  between two
//
// Whatever the policy, the manager is told of the request; and once the manager has asked for the stop,
// SIGTERM ends the process as it would any other: then it is a step of a stop plan.
#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/io/transfer.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/process/this_worker.hpp>
#include <lastcall/process/worker_options.hpp>
#include <lastcall/process/worker_type.hpp>
#include <lastcall/runtime/immortal.hpp>

#include "process/frame.hpp"
#include "process/lifeline.hpp"
#include "process/log_client.hpp"
#include "process/process_main.hpp"
#include "process/worker_state.hpp"
#include "runtime/failure_text.hpp"
#include "sys/calls.hpp"
#include "sys/channel.hpp"
#include "sys/code_address.hpp"
#include "sys/output.hpp"
#include "sys/process_hooks.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

namespace lastcall::detail {

namespace {

class worker {
public:
  worker(const process_setup& setup, raw_fd work, raw_fd entrance)
      : setup_{setup},
        policy_{static_cast<on_interrupt>(setup.policy)},
        work_{std::move(work)},
        entrance_{std::move(entrance)},
        inbox_{setup.frame_limit} {}

  int run() noexcept;
  void let_go() noexcept { work_ = {}; }

private:
  bool enter();
  int live();
  bool find_type() noexcept;
  bool receive();
  bool serve();
  void construct();
  void call();
  bool send(frame_kind kind, std::uint64_t id = 0) noexcept;
  void begin_frame() {
    out_.clear();
    out_.grow(sizeof(frame_head));
  }
  bool send_text(frame_kind kind, std::uint64_t id, const std::string& text) {
    begin_frame();
    out_.append(text.data(), text.size());
    return send(kind, id);
  }
  void only_the_original() const noexcept {
    if (sys::getpid() != pid_) sys::exit_now(no_sense); // the program forked and came back here
  }

  const process_setup& setup_;
  const on_interrupt policy_;
  const pid_t pid_ = sys::getpid();
  raw_fd work_, entrance_;
  frame_inbox inbox_;
  bool more_in_stage_ = false;
  byte_buffer out_;
  const worker_type* type_ = nullptr;
  std::uintptr_t base_ = 0;
  void* object_ = nullptr;
  bool ending_ = false;
  int status_ = 0;
};

worker* the_worker = nullptr;

// What the program forks holds none of our descriptors: its end would be waited for instead of ours.
void let_go_in_child() noexcept {
  if (the_worker == nullptr) return;
  the_worker->let_go();
  the_lifeline().let_go();
  the_log().let_go();
}

// Its cgroup: before any code of the program's runs here. One that was told to by exec is in it already.
bool worker::enter() {
  if (!entrance_.is_open()) return true;
  const auto written = sys::write(entrance_.number(), "0", 1);
  entrance_ = {};
  if (written == 1) return true;
  send_text(frame_kind::start_failed, 0,
            "write (a worker's cgroup.procs): " + std::system_category().message(static_cast<int>(-written)));
  return false;
}

bool worker::find_type() noexcept {
  base_ = sys::image_named(setup_.image);
  if (base_ == 0) return false;
  type_ = reinterpret_cast<const worker_type*>(base_ + setup_.type); // an address of this program's own
  return true;
}

bool worker::send(frame_kind kind, std::uint64_t id) noexcept {
  frame_head head;
  head.kind = kind;
  head.id = id;
  head.size = out_.size() - sizeof head;
  std::memcpy(out_.data(), &head, sizeof head);
  std::span<const std::byte> left = out_.view();
  while (!left.empty()) {
    const sys::piece bytes{left.data(), left.size()};
    const auto sent = sys::send_waiting(work_.number(), {&bytes, 1});
    if (sent < 0 && sent != -EINTR && sent != -EAGAIN) {
      // Else who waits for this would wait for ever.
      if (left.size() == out_.size())
        say_trouble(work_, trouble_of(sys::call::sendmsg, "to the manager", static_cast<int>(-sent)));
      ending_ = true;
      status_ = no_sense;
      return false;
    }
    if (sent > 0) left = left.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

// The next frame; false when there is none any more: the manager has gone, or a request ends this worker.
bool worker::receive() {
  auto progress = more_in_stage_ ? inbox_.next() : frame_inbox::progress::more;
  while (progress == frame_inbox::progress::more) {
    std::error_code error;
    const auto room = inbox_.room();
    const std::size_t got = io::read(work_.number(), room.data(), room.size(), error);
    if (error) {
      const bool gone = error == std::errc::connection_reset || error == std::errc::broken_pipe;
      if (error.category() == std::system_category() && !gone) status_ = no_sense;
      return false;
    }
    progress = inbox_.came(got);
  }
  more_in_stage_ = true;
  if (progress == frame_inbox::progress::fault) {
    say_trouble(work_, std::string{name_of(inbox_.fault())});
    status_ = no_sense;
  }
  return progress == frame_inbox::progress::whole;
}

void worker::construct() {
  const shield whole;
  try {
    object_ = type_->construct(inbox_.body().view());
  } catch (...) {
    only_the_original();
    send_text(frame_kind::start_failed, 0, failure_text());
    ending_ = true;
    return;
  }
  only_the_original();
  begin_frame();
  send(frame_kind::started);
}

void worker::call() {
  const frame_head head = inbox_.head();
  const auto method = reinterpret_cast<worker_method>(base_ + head.method);
  std::optional<shield> whole;
  if (policy_ != on_interrupt::end_quietly) whole.emplace();
  try {
    begin_frame();
    method(object_, inbox_.body().view(), out_);
    only_the_original();
    if (out_.size() - sizeof head <= setup_.frame_limit)
      send(frame_kind::result, head.id);
    else
      send_text(frame_kind::failure, head.id, "the result is longer than the pool's frame_limit");
  } catch (const interrupted&) {
    only_the_original();
    begin_frame();
    send(frame_kind::cut, head.id);
    ending_ = true;
  } catch (...) {
    only_the_original();
    send_text(frame_kind::failure, head.id, failure_text());
  }
}

bool worker::serve() {
  if (!receive()) return false;
  switch (inbox_.head().kind) {
  case frame_kind::construct: construct(); break;
  case frame_kind::call:
    if (object_ == nullptr) return false;
    call();
    break;
  default: return false; // the stop
  }
  return !ending_;
}

int worker::run() noexcept {
  the_worker = this;
  sys::at_fork(nullptr, nullptr, &let_go_in_child);
  try {
    return live();
  } catch (...) { // no thread for the herald, no memory
    only_the_original();
    say_trouble(work_, failure_text());
    return no_sense;
  }
}

int worker::live() {
  if (!enter()) return no_sense;
  begin_frame();
  if (!send(frame_kind::bootstrapped)) return no_manager;
  if (!find_type()) {
    say_trouble(work_, std::string{"the library "} + setup_.image + " is not loaded");
    return no_sense;
  }
  signal_options options;
  options.listen = {SIGHUP};
  options.ladder = ladder_policy::patient;
  options.keep = 16; // they are handed on; and pages that are not there need not be filled
  signal_scope signals{options};
  const auto tell = [](const request& why) {
    if (why.signal == SIGTERM && the_lifeline().stop_asked()) end_by_signal(SIGTERM);
    the_lifeline().report({life_note::what::request, why.signal, why.sender_pid, why.sender_uid});
  };
  const subscription heard[]{signals.subscribe(SIGINT, tell), signals.subscribe(SIGTERM, tell),
                             signals.subscribe(SIGHUP, tell)};
  {
    std::optional<shield> always;
    if (policy_ == on_interrupt::ignore_until_stop) always.emplace();
    while (serve()) {
    }
    const shield whole;
    if (object_ != nullptr) type_->destroy(std::exchange(object_, nullptr));
    only_the_original();
  }
  signals.close(); // the herald may not have come yet to the request that ended the loop: it is told, too
  return status_;
}

} // namespace

worker_process_state& the_worker_state() noexcept {
  static immortal<worker_process_state> only;
  return *only;
}

int run_worker(const process_setup& setup, std::vector<raw_fd>& fds) {
  if (fds.size() < 2 + setup.enters) return no_sense;
  raw_fd entrance;
  if (setup.enters != 0) {
    entrance = std::move(fds.back());
    fds.pop_back();
  }
  if (fds.size() > 2) the_log().begin(std::move(fds[2]));
  the_worker_state().index = setup.index;
  const int result = the_lifeline().begin(std::move(fds[1]), setup.manager, duration{setup.orphan_grace_ns},
                                          fds[0].number());
  if (result < 0) {
    say_trouble(fds[0], trouble_of(sys::call::thread_create, "a worker's lifeline", -result));
    return no_sense;
  }
  // Not on the stack: the program may call exit in the middle of it all, and forked children look here.
  static immortal<worker> only{setup, std::move(fds[0]), std::move(entrance)};
  return only->run();
}

} // namespace lastcall::detail
