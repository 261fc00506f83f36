// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/stream_error.hpp>

#include <string>

namespace lastcall {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "lastcall stream"; }
  std::string message(int value) const override {
    switch (static_cast<stream_errc>(value)) {
    case stream_errc::reentered: return "this thread is already inside a call of this stream";
    case stream_errc::closed: return "the stream is closed";
    case stream_errc::stuck: return "a thread was left behind inside a write of this stream";
    }
    return "unknown";
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<stream_errc>(value)) {
    case stream_errc::reentered: return std::errc::resource_deadlock_would_occur;
    case stream_errc::closed: return std::errc::bad_file_descriptor;
    case stream_errc::stuck: return std::errc::device_or_resource_busy;
    }
    return {value, *this};
  }
};

} // namespace

const std::error_category& stream_category() noexcept {
  static const category the_category;
  return the_category;
}

std::error_code make_error_code(stream_errc what) noexcept {
  return {static_cast<int>(what), stream_category()};
}

} // namespace lastcall
