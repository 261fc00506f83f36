// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/worker.hpp"
#include "subject/cannot_check.hpp"

#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

/// Makes single runs through a real worker process, for tests of the engine.
namespace checker::testing {

/// The path of a small program that shows where a request arrived.
inline std::string probe(const std::string& name) { return std::string{LASTCALL_PROBES} + "/probe_" + name; }

class one_run {
public:
  explicit one_run(std::vector<std::string> argv, isolation how = isolation::automatic) {
    setup_.wanted.argv = std::move(argv);
    setup_.wanted.signals = {SIGINT};
    setup_.wanted.scopes = {target_scope::process};
    setup_.program = find_program(setup_.wanted);
    setup_.isolate = how;
    auto path = (std::filesystem::temp_directory_path() / "lastcall-test-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw_cannot("create " + path);
    setup_.base = path;
    initial_directory_ = setup_.base / "initial";
    std::filesystem::create_directory(initial_directory_);
  }
  ~one_run() { std::filesystem::remove_all(setup_.base); }
  one_run(const one_run&) = delete;
  one_run& operator=(const one_run&) = delete;

  [[nodiscard]] run_setup& setup() { return setup_; }
  /// Filled before the first run.
  [[nodiscard]] const std::filesystem::path& initial_directory() const { return initial_directory_; }

  /// The undisturbed runs, made when they are first needed.
  [[nodiscard]] const survey& learn() {
    if (known_) return *known_;
    auto surveyor = worker::for_survey(setup_);
    auto answer = surveyor.receive();
    if (!answer || !answer->known) throw std::runtime_error(answer ? answer->failure : "no answer");
    return known_.emplace(*answer->known);
  }

  /// One run with a request at `key`.
  [[nodiscard]] run at(const std::string& key, target_scope scope = target_scope::process,
                       int signal = SIGINT) {
    std::string why;
    const auto where = point::parse(key, why);
    if (!where) throw std::runtime_error(why);
    const auto& known = learn();
    const std::vector<injection> runs{{*where, signal, scope}};
    auto one = worker::for_runs(setup_, known, runs, 0);
    one.ask(0);
    const auto answer = one.receive();
    if (!answer || !answer->seen) throw std::runtime_error(answer ? answer->failure : "no answer");
    return *answer->seen;
  }

private:
  run_setup setup_;
  std::optional<survey> known_;
  std::filesystem::path initial_directory_;
};

} // namespace checker::testing
