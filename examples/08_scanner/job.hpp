// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "block.hpp"
#include "results.hpp"
#include "services.hpp"

#include <lastcall/stream/buffered_writer.hpp>
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/nursery.hpp>

#include <asio/signal_set.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

/// The second service: what the program is for. It keeps the first one busy with the blocks of all files,
/// updates it now and then, and prints what is found.
class scan_job {
public:
  scan_job(lastcall::loop& in, surroundings around, threads& on, scan_service& service);

  lastcall::task<> start();
  lastcall::task<> stop(lastcall::context& at);
  /// Waits until the work is done; gives the exit status, or throws what it failed with.
  lastcall::task<int> finished();

private:
  lastcall::task<> work_on_and_on();
  lastcall::task<> scan_all();
  lastcall::task<> scan_file(lastcall::nursery& blocks, std::string name);
  lastcall::task<> scan_text(lastcall::nursery& blocks, std::string name, std::size_t file);
  lastcall::task<> room();
  lastcall::task<> process(std::string name, std::size_t file, std::uint64_t block,
                           std::optional<std::string> text);
  lastcall::task<block_result> searched(std::string name, std::uint64_t block,
                                        std::optional<std::string> text);
  lastcall::task<> print();
  void write(const std::string& text); ///< both on a thread; what cannot be written shows in the exit status
  void flush();
  void cannot(std::size_t file, std::string_view why);

  lastcall::task<> update_on_and_on();
  lastcall::task<> hang_up();
  lastcall::task<> update();

  lastcall::task<> show_progress();

  surroundings around_;
  threads& threads_;
  scan_service& service_;
  lastcall::nursery tasks_;
  lastcall::async_event done_, freed_;
  std::exception_ptr failure_{};
  bool trouble_ = false; ///< a file could not be searched

  std::map<std::uint64_t, std::shared_ptr<const pattern_list>> editions_;
  std::uint64_t edition_ = 0;
  std::optional<asio::signal_set> hang_ups_; ///< only where there is a file to be read again

  results results_;
  std::string pending_; ///< to be printed
  bool printing_ = false;
  lastcall::buffered_writer out_;

  std::size_t in_flight_ = 0;
  std::uint64_t searched_ = 0; ///< blocks
};
