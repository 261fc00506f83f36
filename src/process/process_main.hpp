// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/sys/config.hpp>

#include "process/launched_process.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall::detail {

inline constexpr int threads_of_a_sanitizer = LASTCALL_CONFIG_THREAD_SANITIZER;

/// What a new process has to know of its birth.
struct birth {
  pid_t parent = 0;
  std::uint64_t mask = 0; ///< of signals, to be had from now on
};

/// The rest of a process's life: serves what the setup says, and exits. Its first step is to see to it that
/// it does not outlive its manager.
[[noreturn]] void begin_child_process(const birth& from, const process_setup& setup,
                                      std::vector<raw_fd>& fds);

/// Status of a worker whose manager was gone before it could begin, and of one that broke the protocol.
inline constexpr int no_manager = 75;
inline constexpr int no_sense = 70;

/// Says on a worker's channel why it ends: in one piece, at once, or not at all.
void say_trouble(const raw_fd& work, const std::string& text) noexcept;
/// "pthread_create (a worker's lifeline): Resource temporarily unavailable"
std::string trouble_of(sys::call which, const char* purpose, int error) noexcept;

int run_worker(const process_setup& setup, std::vector<raw_fd>& fds);
int run_log_writer(const process_setup& setup, std::vector<raw_fd>& fds);
int run_keeper(const process_setup& setup, std::vector<raw_fd>& fds);

/// The first word of a keeper or a log writer on its lifeline, where it is none of trouble: it will not end
/// with its parent any more.
inline constexpr std::string_view its_first_word = "there";

} // namespace lastcall::detail
