// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/family.hpp"
#include "tracer/interrupter.hpp"
#include "tracer/output_capture.hpp"
#include "tracer/recorder.hpp"
#include "tracer/stillness.hpp"
#include "tracer/tracer.hpp"
#include "tracer/watched_time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <sys/resource.h>
#include <sys/types.h>

namespace checker {

/// The state of one run. What is in its four parts:
///   tracer.cpp   from the first process to the last: the loop and the end
///   stops.cpp    what a thread's stop means and how it goes on
///   request.cpp  when the request is sent, and the watch over a thread that is to sleep
///   patience.cpp whether the subject idles, and when it has hung
class session {
public:
  session(launched& what, const trace_task& task, const call_naming& naming, const process_files& files);

  /// Once.
  trace_result run();

private:
  using clock = std::chrono::steady_clock;
  /// How long other threads are kept from going on while one is to fall asleep.
  static constexpr std::chrono::milliseconds longest_hold{20};

  void seize();
  void loop();
  void tick(clock::time_point now);
  void on_stop(tracee& one, int status);
  void on_event(tracee& one, int event, int signal);
  void on_birth(tracee& creator);
  void on_exec(tracee& one);
  void on_call_stop(tracee& one);
  void on_filter_stop(tracee& one);
  void on_entry(tracee& one, const call_entry& call);
  void on_exit(tracee& one, std::int64_t call_result);
  void on_death(pid_t thread, int status, const rusage& usage);
  void resume(tracee& one, int signal = 0) const;
  void release_held();
  void watch_sleeper();
  void watch_for_idle();
  void watch_for_hang();
  void watch_for_survivors();
  void ask_now(tracee* at);
  void end_hung(hang_kind kind);
  void end_idle();
  [[nodiscard]] bool is_deadlocked() const;
  [[nodiscard]] std::uint64_t processor_ticks() const; ///< of all processes that are there
  void note_processor();
  [[nodiscard]] seconds processor_since_noted() const;
  void kill_all();
  void finish();
  [[nodiscard]] bool is_wanted(const tracee& one, const call_entry& call);
  [[nodiscard]] bool has_fired() const { return interrupter_ && interrupter_->has_fired(); }

  launched& what_;
  const trace_task& task_;
  const call_naming& naming_;
  const process_files& files_;
  family family_;
  stillness stillness_;
  output_capture output_;
  recorder recorder_;
  std::optional<interrupter> interrupter_;
  trace_result result_;

  bool is_idle_point_ = false;
  std::int64_t wanted_number_ = -1;
  std::uint32_t wanted_seen_ = 0;
  bool is_found_ = false;      ///< the wanted call is under way
  bool follows_calls_ = false; ///< every call stops
  bool has_filter_ = false;    ///< calls of the wanted kind stop
  bool is_program_ = false;    ///< the first exec has happened
  bool first_is_gone_ = false;
  bool is_done_ = false;
  pid_t sleeper_ = 0; ///< the thread whose sleep the request waits for
  clock::time_point sleeper_since_;
  clock::time_point started_ = clock::now();
  clock::time_point first_gone_at_;
  watched_time time_{started_}; ///< what limits are held against; these three stand on it
  seconds began_{};
  seconds asked_{};
  seconds first_gone_{};
  std::uint64_t noted_ticks_ = 0; ///< of the processor: at the request, then at the first process's end
};

} // namespace checker
