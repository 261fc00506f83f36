// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/runtime/runtime_options.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstddef>

namespace lastcall::detail {

/// One round of last words: what it may take, and where to say what was lost.
class last_words_round {
public:
  last_words_round(deadline whole, duration lock_grace, bool is_last, stuck_stream policy,
                   finalization_report* into) noexcept
      : until{whole}, grace{lock_grace}, last{is_last}, on_stuck{policy}, into_{into} {}

  deadline until;       ///< of the whole round
  const duration grace; ///< for each lock; what is left of `until` may be less
  const bool last;      ///< from now on nothing may be held back: see `write_through`
  const stuck_stream on_stuck;

  /// Says that not all was written. Where there is no memory it is counted without words.
  void note(stream_end what) noexcept;
  std::size_t noted() const noexcept { return noted_; }

private:
  finalization_report* into_;
  std::size_t noted_ = 0;
};

/// Somebody who has something to say before the end: a stream with bytes in it.
///
/// All of them, of the whole process, are in one list, newest first: what is built on another comes before
/// it. The list is never destroyed. A runtime's finalization has them speak twice, and so do the exit
/// handlers of a process without a runtime; between the last words of one runtime and the beginning of the
/// next `write_through()` holds, and who has something writes it at once.
///
/// The most derived class enlists itself once it is whole, and strikes itself off before anything of it goes:
/// a round on another thread may call it at any moment in between.
///
/// Threads: made and destroyed on any. `say` and `begin_in_child` are called with the list's lock held: they
///   make and destroy no last_words. `strike_off` waits for a round that is under way (which is bounded).
class last_words {
public:
  last_words() noexcept = default;
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;

  virtual void say(last_words_round& round) noexcept = 0;
  /// Before a fork, with the list's lock held, and after it, in the parent or the child.
  virtual void before_fork() noexcept {}
  virtual void after_fork() noexcept {}
  virtual void begin_in_child() noexcept {}

protected:
  ~last_words() = default;
  /// Each once; `strike_off` also where it was not enlisted.
  void enlist() noexcept;
  void strike_off() noexcept;

private:
  friend struct last_words_list;
  last_words* newer_ = nullptr;
  last_words* older_ = nullptr;
  bool listed_ = false;
};

/// Has all of them speak.
void say_last_words(last_words_round& round) noexcept;

/// Whether nothing may be held back any more. One relaxed load; who looks under its own lock, which a round
/// takes as well, sees it in time.
bool write_through() noexcept;
void set_write_through(bool on) noexcept;

/// Lost bytes that were noted since the process began, also outside of a round (a write error is sticky and
/// reaches the exit status). Any thread.
void note_lost_output(std::size_t bytes) noexcept;
bool output_was_lost() noexcept;
/// For tests that lose some on purpose, and shall end with 0.
void forget_lost_output() noexcept;

// Around fork, from the runtime's handlers.
void last_words_before_fork() noexcept;
void last_words_in_parent() noexcept;
void last_words_in_child() noexcept;

} // namespace lastcall::detail
