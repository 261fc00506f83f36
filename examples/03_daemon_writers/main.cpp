// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Threads that write to the same buffered stream while the program ends. Three programs that have become
// known in Python, where each of the first two may end by "Fatal Python error: could not acquire lock":
//
//     print   daemons print lines; main waits for a moment, prints one of its own and returns
//     write   the same with a binary stream, and main does not wait at all
//     join    the threads are joined first
//
// Here all of them end with status 0 and without a lost or a torn line. Which lines the daemons come to is
// for the processor to decide; each that `write` has accepted is in the output, once.
#include "arguments.hpp"
#include "tally.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/stream/buffered_writer.hpp>
#include <lastcall/stream/record.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

enum class program { print, write, join };
enum class ending { by_return, by_exit_now };

struct settings {
  program which = program::print;
  long threads = 10;
  long records = 10;
  std::string file;
  std::string tally_file;
  ending end = ending::by_return;
};

// Never destroyed: daemons may be inside when statics go.
lastcall::buffered_writer& output(const std::string& file) {
  if (file.empty()) return lastcall::out();
  static lastcall::immortal<lastcall::buffered_writer> out{
      lastcall::raw_fd::own(lastcall::io::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
      lastcall::stream_options{.name = file}};
  return *out;
}

// What it uses is its own, or immortal: it may go on for a moment when main's frame is gone.
struct spam {
  lastcall::buffered_writer* out;
  tally accepted;
  program which;
  long records;
  long thread = 0;

  void operator()() const {
    for (long i = 0; i < records; ++i) {
      const std::string number = ' ' + std::to_string(thread) + ' ' + std::to_string(i) + '\n';
      if (which == program::write)
        out->write("SPAM" + number);
      else
        print(number);
      accepted.note(thread);
    }
  }

  // A line made of pieces; other threads' lines come before or after it, never in between.
  void print(const std::string& number) const {
    lastcall::record line{*out};
    line.append("SPAM SPAM SPAM!").append(number);
    line.send();
  }
};

void daemons(const settings& set, const spam& one) {
  for (long i = 0; i < set.threads; ++i) {
    spam mine = one;
    mine.thread = i;
    lastcall::daemon_thread{"spam", "writes as long as it may", mine};
  }
}

void print(const settings& set, const spam& one) {
  daemons(set, one);
  lastcall::io::sleep_for(100us);
  one.out->write("main thread exited\n");
}

void write(const settings& set, const spam& one) {
  daemons(set, one);
  one.out->write("main thread\n");
  one.out->write("None\n");
  lastcall::checkpoint(); // it waits nowhere, and so would not hear of a request
}

void join(const settings& set, const spam& one) {
  std::vector<lastcall::thread> threads;
  for (long i = 0; i < set.threads; ++i) {
    spam mine = one;
    mine.thread = i;
    threads.emplace_back("spam", mine);
  }
  for (auto& each : threads) each.join();
  one.out->write("main thread exited\n");
}

void play(const settings& set) {
  const spam one{&output(set.file), tally{set.tally_file, set.threads}, set.which, set.records};
  try {
    switch (set.which) {
    case program::print: print(set, one); break;
    case program::write: write(set, one); break;
    case program::join: join(set, one); break;
    }
  } catch (const lastcall::interrupted& stop) {
    const lastcall::shield last_words; // the request is still there, and would end a wait for the stream
    one.out->write("stopped by " + std::string{lastcall::signal_name(stop.why().signal).view()} + '\n');
    throw; // on to run(), for which this is a clean stop
  }
  if (set.end == ending::by_exit_now) ::_exit(0); // nobody is asked: what the buffer holds is lost
}

template <class Value, std::size_t size>
Value one_of(std::string_view text, const std::array<std::pair<std::string_view, Value>, size>& known) {
  for (const auto& [name, value] : known)
    if (name == text) return value;
  throw example::usage_error("'" + std::string{text} + "' is not known; --help lists what is");
}

} // namespace

int main(int argc, char** argv) {
  settings set;
  return example::as_program(
      argc, argv, "Threads write to one buffered stream while the program ends.",
      {{"--program", "NAME", "print (the default), write or join",
        [&](auto text) {
          set.which = one_of(
              text, std::array<std::pair<std::string_view, program>, 3>{
                        {{"print", program::print}, {"write", program::write}, {"join", program::join}}});
        }},
       {"--threads", "how many there are (10)", set.threads},
       {"--records", "how many each writes (10)", set.records},
       {"--file", "PATH", "where they write, instead of standard output",
        [&](auto text) { set.file = text; }},
       {"--end", "WAY", "return (the default), or now: by _exit",
        [&](auto text) {
          set.end = one_of(text, std::array<std::pair<std::string_view, ending>, 2>{
                                     {{"return", ending::by_return}, {"now", ending::by_exit_now}}});
        }},
       {"--tally", "PATH", "a file that counts for each thread what was accepted",
        [&](auto text) { set.tally_file = text; }}},
      [&] { return lastcall::run([&] { play(set); }); });
}
