// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/async_component.hpp>

#include <stop_token>
#include <system_error>

namespace lastcall {

loop_thread::loop_thread(loop_options options) : loop_{std::move(options)} {}

void loop_thread::start() {
  thread_ = thread{"loop", [this](std::stop_token stop) {
                     const std::stop_callback when_asked{
                         std::move(stop), [this] { handle().try_post([this] { over_.set(); }); }};
                     loop_.run([this]() -> task<> { co_await over_; });
                   }};
}

void loop_thread::stop(context& at) {
  handle().try_post([this] { over_.set(); });
  const std::stop_callback hurry{at.token(),
                                 [this] { handle().try_post([this] { loop_.hurry(deadline::after({})); }); }};
  if (!thread_.join(at.due()))
    throw std::system_error{std::make_error_code(std::errc::timed_out), "the loop has not ended"};
}

namespace detail {

void throw_stop_was_cut() {
  throw std::system_error{std::make_error_code(std::errc::timed_out),
                          "the stop was cut when its time was over"};
}

} // namespace detail
} // namespace lastcall
