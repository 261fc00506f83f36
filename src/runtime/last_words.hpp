// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/runtime/runtime_options.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/hurried_deadline.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace lastcall::detail {

/// One round of last words: what it may take, and where to say what was lost.
class last_words_round {
public:
  last_words_round(hurried_deadline whole, duration lock_grace, bool is_last, stuck_stream policy,
                   finalization_report* into) noexcept
      : until{whole}, grace{lock_grace}, last{is_last}, on_stuck{policy}, into_{into} {}

  const hurried_deadline until; ///< of the whole round; to be looked at again and again
  const duration grace;         ///< for each lock; what is left of `until` may be less
  const bool last;              ///< from now on nothing may be held back: see `write_through`
  const stuck_stream on_stuck;

  /// Whether somebody reads it. Else `note_lost_output` is enough, which takes no memory.
  bool is_reported() const noexcept { return into_ != nullptr; }
  /// Says that not all was written. Where there is no memory it is counted without words.
  void note(stream_end what) noexcept;
  /// What `note_lost_output` was told since the runtime began.
  void note_what_was_lost_outside() noexcept;

private:
  finalization_report* into_;
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
///   make and destroy no last_words. `enlist` waits for a round that is under way, `strike_off` until a
///   deadline.
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
  void enlist() noexcept;
  /// Also where it was not enlisted. False when a round has not come to its end until the deadline: it may
  /// still call this object, which has to stay for ever.
  bool strike_off(const hurried_deadline& until) noexcept;
  /// Once it was struck off: keeps what has to stay for ever where a search for leaks finds it.
  void keep_for_ever() noexcept;

private:
  friend struct last_words_list;
  last_words* newer_ = nullptr;
  last_words* older_ = nullptr;
  bool listed_ = false;
};

/// Has all of them speak. False when another round has not come to its end until the deadline of this one:
/// then nothing was said here.
bool say_last_words(last_words_round& round) noexcept;
/// Whether a round is under way, or somebody enters the list or leaves it. For tests.
bool lists_last_words() noexcept;
/// … and somebody waits for that. For tests.
bool awaits_last_words() noexcept;

/// A last round of an object's own, in its destructor: with the budget and the grace of the runtime that is
/// live or was so last, and in a hurry where that one is. `say` may be called with it once the object was
/// struck off.
last_words_round round_of_a_destructor() noexcept;

/// With a runtime's beginning: something may be held back again, and what was lost before is no affair of its
/// report. `hurried` is the word of a hurried_deadline; it is looked at until nothing may be held back any
/// more.
void begin_last_words_of(const runtime_options& options, const std::atomic<std::int64_t>& hurried) noexcept;

/// Whether nothing may be held back any more. One relaxed load; who looks under its own lock, which a round
/// takes as well, sees it in time.
bool write_through() noexcept;
void set_write_through(bool on) noexcept;

/// What became of a stream's bytes.
struct lost_bytes {
  std::string_view stream;
  std::string_view holder{};
  std::uint64_t written = 0;
  std::uint64_t lost = 0;
  std::uint64_t uncertain = 0;
  int error = 0; ///< an errno
};
/// Says, outside of a round, that output was lost: at a close, in a destructor. The exit status says so, and
/// the report of the next last round, where several streams share an entry. Takes no memory. Any thread.
void note_lost_output(const lost_bytes& what) noexcept;
/// The same where there is nothing to say about it but that it is so.
void note_lost_output() noexcept;
bool output_was_lost() noexcept;
/// For tests that lose some on purpose, and shall end with 0.
void forget_lost_output() noexcept;

// Around fork, from the runtime's handlers.
void last_words_before_fork() noexcept;
void last_words_in_parent() noexcept;
void last_words_in_child() noexcept;

} // namespace lastcall::detail
