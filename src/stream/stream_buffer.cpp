// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/stream_buffer.hpp>

#include <lastcall/interrupt/shield.hpp>

#include "stream/output_stream.hpp"

#include <istream>
#include <ostream>

namespace lastcall {

output_buffer::int_type output_buffer::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
  const char one = traits_type::to_char_type(byte);
  return xsputn(&one, 1) == 1 ? byte : traits_type::eof();
}

std::streamsize output_buffer::xsputn(const char* from, std::streamsize size) {
  const shield whole;
  std::error_code error;
  return static_cast<std::streamsize>(to_.write({from, static_cast<std::size_t>(size)}, error));
}

int output_buffer::sync() {
  std::error_code error;
  if (at_its_end_) {
    to_.stream_->flush_by(detail::round_of_a_destructor().until, error);
  } else {
    const shield whole;
    to_.flush(error);
  }
  return error ? -1 : 0;
}

input_buffer::int_type input_buffer::underflow() {
  const std::size_t count = from_.read(std::span<char>{taken_}, error_);
  if (count == 0) return traits_type::eof();
  setg(taken_.data(), taken_.data(), taken_.data() + count);
  return traits_type::to_int_type(taken_[0]);
}

redirected::redirected(std::ostream& what, buffered_writer& to)
    : buffer_{to}, what_{what}, before_{(what.flush(), what.rdbuf(&buffer_))} {}

redirected::~redirected() {
  buffer_.at_its_end_ = true;
  what_.flush();
  what_.rdbuf(before_);
}

redirected_input::redirected_input(std::istream& what, buffered_reader& from)
    : buffer_{from}, what_{what}, before_{what.rdbuf(&buffer_)} {}

redirected_input::~redirected_input() { what_.rdbuf(before_); }

} // namespace lastcall
