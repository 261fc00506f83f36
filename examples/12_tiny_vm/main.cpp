// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A small interpreter, as a program that uses the library has to be built when it runs other people's code:
// an evaluation loop with a checkpoint before each opcode, threads on the big lock, finalizers, streams, and
// an end that is right. docs/tiny-vm.md walks through it.
#include "arguments.hpp"
#include "compiler.hpp"
#include "play.hpp"
#include "sweep.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace {

struct command {
  std::string script;
  tiny::layout layout = tiny::layout::whole;
  long interrupt_at = 0;
  bool everywhere = false, windows = false, list = false;
  long most = 10'000;
  long rounds = 1;
};

std::string contents(const std::string& path) {
  constexpr std::size_t largest = 1 << 20;
  std::ifstream in{path, std::ios::binary};
  if (!in.is_open() || std::filesystem::is_directory(path))
    throw example::usage_error(path + " cannot be read");
  std::string all{std::istreambuf_iterator<char>{in}, {}};
  if (all.size() > largest) throw example::usage_error(path + " is larger than a MiB");
  return all;
}

std::shared_ptr<const tiny::program> compiled(const command& what) {
  if (what.script.empty()) throw example::usage_error("which script? --help says how to name one");
  const std::string source = contents(what.script);
  try {
    auto code = std::make_shared<tiny::program>(tiny::compile(source, what.layout));
    code->file = what.script;
    return code;
  } catch (const tiny::problem& error) {
    throw example::usage_error(what.script + ':' + error.what());
  }
}

void say_stopped_by(int signal) {
  lastcall::out().write("stopped by " + std::string{lastcall::signal_name(signal).view()} + '\n');
}

// One line, for whoever counts; before it where harm was done. None where a request of others cut it short.
int sweep(const command& what, const std::shared_ptr<const tiny::program>& code) {
  const auto all = tiny::interrupt_everywhere(code, static_cast<std::size_t>(what.most));
  if (all.stopped_by != 0) {
    say_stopped_by(all.stopped_by);
    lastcall::out().flush();
    if (all.stopped_by == SIGINT) lastcall::end_by_signal(SIGINT);
    return 0;
  }
  if (what.windows)
    for (const auto& one : all.windows) lastcall::out().write(describe(one) + '\n');
  lastcall::out().write(describe(all) + '\n');
  lastcall::out().flush();
  return 0;
}

int play(const std::shared_ptr<const tiny::program>& code, const tiny::settings& how) {
  try {
    return tiny::play(code, how, std::make_shared<tiny::ledger>()).failed ? 1 : 0;
  } catch (const lastcall::interrupted& stop) {
    const lastcall::shield last_words; // the request is still there, and would end a wait for the stream
    say_stopped_by(stop.why().signal);
    throw; // on to run(), for which this is a clean stop
  }
}

// Each round has a signal_scope and a runtime of its own: lastcall::run makes them, and ends them.
int run(const command& what, const std::shared_ptr<const tiny::program>& code) {
  tiny::watcher watcher;
  watcher.at = static_cast<std::size_t>(what.interrupt_at);
  watcher.request = [] { lastcall::interrupt_main(SIGINT); };
  // The rule of 2003 is a matter of the counting loop.
  const bool counted = watcher.at != 0 || what.layout == tiny::layout::y2017;
  const tiny::settings how{.out = &lastcall::out(),
                           .err = &lastcall::err(),
                           .watch = counted ? tiny::watch::counted : tiny::watch::word,
                           .main = &watcher};
  int status = 0;
  std::stop_token stop; // also of a request in the last moment of a round
  for (long round = 0; round < what.rounds && status == 0 && !stop.stop_requested(); ++round)
    status = lastcall::run([&](std::stop_token of_this_round) {
      stop = std::move(of_this_round);
      return play(code, how);
    });
  return status;
}

int all_of(const command& what) {
  const auto code = compiled(what);
  if (what.list) {
    lastcall::out().write(listing(*code));
    return 0;
  }
  return what.everywhere ? sweep(what, code) : run(what, code);
}

tiny::layout layout_of(std::string_view text) {
  if (text == "default") return tiny::layout::whole;
  if (text == "2017") return tiny::layout::y2017;
  throw example::usage_error("there is no layout '" + std::string{text} + "': default or 2017");
}

} // namespace

int main(int argc, char** argv) {
  command what;
  return example::as_program(
      argc, argv, "Runs a script of the tiny language: threads, locks, finalizers, and an end that is right.",
      {{"", "SCRIPT", "the file", [&](auto text) { what.script = text; }},
       {"--layout", "YEAR", "default, or 2017: try and with as CPython compiled them then",
        [&](auto text) { what.layout = layout_of(text); }},
       {"--interrupt-at", "SIGINT before that opcode of the main thread, from 1", what.interrupt_at},
       {"--interrupt-everywhere", "one run for each opcode with a request before it; prints a line",
        what.everywhere},
       {"--windows", "… and before it a line for each point at which harm was done", what.windows},
       {"--most", "… but no more runs than this (10000)", what.most},
       {"--rounds", "runs it so often, each time in a runtime of its own (1)", what.rounds},
       {"--list", "prints the opcodes and runs nothing", what.list}},
      [&] { return all_of(what); });
}
