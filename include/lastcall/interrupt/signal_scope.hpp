// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/found.hpp>
#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/interrupt/number_feed.hpp>
#include <lastcall/interrupt/subscription.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace lastcall {

namespace detail {
class signal_core;
}

/// What becomes of posted calls that have not run when the scope is closed or destroyed.
enum class leftover_calls : std::uint8_t {
  report, ///< they are dropped, counted in `scope_end::dropped_posts` and noted in the log
  run     ///< they run then, on the owner, and those they post, until the deadline; what is left is reported
};

/// How a signal_scope is made.
struct signal_options {
  std::vector<int> signals{SIGINT, SIGTERM}; ///< these ask the program to stop
  std::vector<int> listen{};                 ///< these only reach `subscribe`: a reload, a status report
  ladder_policy ladder = ladder_policy::normal;
  std::chrono::milliseconds coalesce{200}; ///< equal signals within it (a day at most) are one step
  inherited_ignore ignored = inherited_ignore::keep;
  found_handler found = found_handler::chain; ///< of a handler that is there already
  std::size_t keep = 1024;                    ///< how many requests are kept with sender and time
  leftover_calls leftover = leftover_calls::report;
  int nudge_signal = 0;    ///< the real-time signal to try first, see `prefer_nudge_signal`; 0: any
  timeline* log = nullptr; ///< where the herald records; must outlive the scope
};

/// What was still open when a scope was closed.
struct scope_end {
  std::vector<request> pending;  ///< never acknowledged, last-moment arrivals included
  std::vector<request> unheard;  ///< of the listened signals: those that no listener was told of
  std::size_t dropped_posts = 0; ///< posted calls that never ran
  bool herald_ended = true; ///< false: a listener did not return in time; its thread was left behind, and
                            ///< what it and the log refer to must live on
};

/// Takes over the signals that ask a program to stop, for as long as it lives.
///
/// A signal handler may do next to nothing, and what it may do (set a flag) is not enough: the flag is
/// looked at too late, or never, and a second Ctrl-C is lost or kills half-way. Here the way is: the
/// handler records; the *herald*, a thread of the library, acts (stop token, listeners, ladder); the
/// *owner*, the thread that made the scope, gets the request at its next checkpoint.
///
///     lastcall::signal_scope signals;
///     std::jthread worker{work, signals.token()};    // other threads: the token
///     try {
///       for (;;) { lastcall::checkpoint(); step(); } // the owner: checkpoints
///     } catch (const lastcall::interrupted& stop) {
///       std::cerr << describe(stop.why()) << '\n';
///     }
///
/// Threads: one live scope per process; made, acknowledged, closed and destroyed by its owner. `token`,
///   `why`, `requests`, `subscribe`, `on_ladder`, `on_delayed`, `step`, `post`, `request_stop` and the
///   counters: any thread. The herald blocks all asynchronous signals while it sleeps; whatever it calls runs
///   with the mask of the thread that made the scope, so that what a listener spawns can be terminated. No
///   other thread's mask is touched.
/// Signals: the dispositions found are remembered and given back where they are still ours; a handler
///   found is called meanwhile, unless told otherwise. Somebody who takes a signal over ours and calls us is
///   served, whoever of the two goes first. After `close` the old disposition acts, also for a signal whose
///   delivery had begun before. In a forked child the scope is inert: the first signal there gives the
///   old disposition back and is raised again, unless a shield says otherwise (`in_child`); parent's
///   descriptor and records are not touched, and its requests and posted calls are not the child's.
/// Errors: construction throws std::invalid_argument for signals that cannot be handled and options out of
///   their range, std::logic_error when a scope is live already, std::runtime_error when the calling thread's
///   alternate signal stack is too small for the handler, std::system_error naming the call when the system
///   refuses something; then everything is as it was before.
class signal_scope {
public:
  explicit signal_scope(signal_options options = {});
  /// `close()`, unless that was done.
  ~signal_scope();
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;

  /// Fires at the first request. After `acknowledge` this is a fresh one, for the next request. Callbacks
  /// that are registered with it run on the herald, or at once in the thread that registers one when it has
  /// fired.
  stop_token token() const noexcept;
  /// The first request that is not acknowledged yet.
  std::optional<request> why() const noexcept;
  /// What came, oldest first; up to `keep` of them, acknowledged ones give way first. Works after `close`.
  std::vector<request> requests() const;
  /// Takes what is pending off the table and returns it: checkpoints pass again, `token()` is a fresh
  /// one, the ladder is back at its foot. For a program that goes on after a request.
  std::vector<request> acknowledge();

  /// From now on `fn` gets each arrival of `signal`, in order, on the herald, which acts for nobody else
  /// meanwhile: keep it short. Any number of parts may subscribe, also to the same signal, also from inside
  /// such a call (then for the arrivals after this one), and each is told of each arrival once. What it
  /// throws is contained and recorded. `signal` must be one of the options' signals and
  /// `fn` a function, else std::invalid_argument.
  ///
  /// Arrivals of listened signals of which nobody was told, because the listeners had ended or there was none
  /// yet, wait: whoever subscribes next to that signal gets them first, oldest first; what is left when the
  /// scope is closed is in `scope_end::unheard`. Those that ask to stop are the owner's, heard or not.
  [[nodiscard]] subscription subscribe(int signal, std::function<void(const request&)> fn);
  /// From now on `fn` is called on the herald when the ladder moves up; before the end at `force`. It may do
  /// what a listener may.
  [[nodiscard]] subscription on_ladder(std::function<void(ladder_step, const request&)> fn);
  /// From now on `fn` is called on the herald, at once, with each request that comes while a shield of the
  /// owner holds back, in order, after the listeners of its signal: to tell somebody at a terminal that it
  /// was heard. What it throws is contained and recorded. Not called for what an unwinding holds back.
  [[nodiscard]] subscription on_delayed(std::function<void(const request&)> fn);
  ladder_step step() const noexcept;

  /// Runs `fn` on the owner at its next checkpoint or inside its `io::` call, in order of posting, with
  /// delivery held back meanwhile. What it throws is contained and recorded. False, and `fn` is not
  /// kept, when 256 calls are waiting already or the scope is closed. Throws std::bad_alloc. What has not run
  /// when the scope ends is reported, or runs then: `leftover_calls`.
  bool post(std::function<void()> fn);

  /// A descriptor for loops that are not of this library (poll, epoll, a GUI's): readable while a request is
  /// pending or a posted call waits, so that the loop comes round to a `checkpoint()` (or to `acknowledge`),
  /// which is what makes it unreadable again. Made at the first call, the same one ever after. Only poll it.
  ///
  ///     pollfd watched[] = {{server, POLLIN, 0}, {signals.wakeup_fd(), POLLIN, 0}};
  ///     for (;;) { ::poll(watched, 2, -1); lastcall::checkpoint(); … }
  ///
  /// Threads: asked for on any thread, polled on any. Signals: the handler writes it once for each arrival,
  /// after the record; a signal before the wait wakes it as well. A forked child never writes its parent's.
  /// Lifetime: the scope closes it in `close`; take it out of the loop before. A child that keeps an
  /// inherited scope closes its own copy; `exec` closes it. Errors: std::system_error when there is no
  /// descriptor; the scope works on without. After `close`: misuse. Limits: it says that something came, not
  /// what; `requests()` does. Whoever closes every descriptor of the process (as daemons do) does so before
  /// asking for it: the handler would write into whatever gets the number next.
  int wakeup_fd();

  /// From now on the handler writes one byte for each arrival, its signal's number, into `fd`, in order: for
  /// loops that want to know what came (asyncio's, Asio's, GLib's) and read it from the other end. Listened
  /// signals are among them.
  ///
  ///     int ends[2];
  ///     ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
  ///     const auto feed = signals.forward_numbers(ends[1]);   // the loop reads ends[0]
  ///
  /// `fd` is a pipe or a socket, open for writing and non-blocking, else std::invalid_argument; one that is
  /// not open, or no room for a duplicate, is std::system_error; a second feed beside the first, or a closed
  /// scope, std::logic_error. The scope writes into a duplicate of its own: the program may close `fd` when
  /// it likes, and the reader sees the end of the file only when the feed has ended, too. A full descriptor
  /// is survived: the number is not written and counted in `unwritten()`. A broken one (nobody reads any
  /// more) is reported once, in the log and to `on_broken`, which runs on the herald and whose exceptions are
  /// contained; nothing is written after it, and the signals go their way as ever. SIGPIPE is not raised. A
  /// forked child does not write. Limits: whoever makes the descriptor blocking later (the flag belongs to
  /// all who share it) makes handlers wait for the reader. A pipe costs five system calls an arrival, a
  /// socket one.
  number_feed forward_numbers(int fd, std::function<void(std::error_code)> on_broken = {});

  /// Asks for the stop without a signal: recorded, delivered and handed to the token like one. Moves
  /// the ladder to `request`, never further. False, and nothing was recorded, when the scope is closed, or
  /// `close` has come so far that nobody would act on it.
  bool request_stop(std::string_view text, cause what = cause::call) noexcept;

  /// Whether arrivals of `signal` come here: it is one of the options' signals, and was neither left
  /// ignored nor left to a handler that was found. False after `close`.
  bool handles(int signal) const noexcept;

  /// How many times `signal` arrived, and all of them together.
  std::uint64_t delivered(int signal) const noexcept;
  std::uint64_t delivered() const noexcept;
  /// How many of these are known only by count: sender and time found no room.
  std::uint64_t lost() const noexcept;

  /// Gives the signals back, lets the herald act on what came until the last moment, ends it, and says
  /// what was left. Waits for the herald until the deadline. Without memory `pending` stays
  /// empty; `requests()` has them all.
  /// A second call returns an empty result.
  scope_end close(deadline until = deadline::after(std::chrono::seconds{2})) noexcept;

private:
  scope_end shut(deadline until) noexcept;

  std::shared_ptr<detail::signal_core> core_;
  std::uint64_t asked_for_ = 0; // the options' signals as bits
  bool closed_ = false;
};

/// Acts as if `signal` had been delivered to the program, without the kernel: the live scope's owner
/// gets it at its next checkpoint, listeners and ladder as ever. Does nothing when nobody handles that
/// signal (no scope, or ignored). Throws std::invalid_argument for a number that is no signal.
/// Threads: any. Signals: not from a handler; use kill(2) there.
void interrupt_main(int signal = SIGINT);

} // namespace lastcall
