// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/buffered_reader.hpp>

#include "stream/input_stream.hpp"

#include <utility>

namespace lastcall {

buffered_reader::buffered_reader(raw_fd fd, const stream_options& options)
    : stream_{new detail::input_stream{std::move(fd), options}} {}

buffered_reader::~buffered_reader() {
  if (stream_->finish()) delete stream_;
}

std::size_t buffered_reader::read(std::span<std::byte> into) {
  return stream_->read(into.data(), into.size(), nullptr);
}
std::size_t buffered_reader::read(std::span<std::byte> into, std::error_code& error) noexcept {
  return stream_->read(into.data(), into.size(), &error);
}
std::size_t buffered_reader::read(std::span<char> into) {
  return stream_->read(into.data(), into.size(), nullptr);
}
std::size_t buffered_reader::read(std::span<char> into, std::error_code& error) noexcept {
  return stream_->read(into.data(), into.size(), &error);
}

bool buffered_reader::read_line(std::string& line) { return stream_->read_until('\n', line, nullptr); }
bool buffered_reader::read_line(std::string& line, std::error_code& error) {
  return stream_->read_until('\n', line, &error);
}
bool buffered_reader::read_until(char delimiter, std::string& into) {
  return stream_->read_until(delimiter, into, nullptr);
}
bool buffered_reader::read_until(char delimiter, std::string& into, std::error_code& error) {
  return stream_->read_until(delimiter, into, &error);
}

void buffered_reader::close() { stream_->close(nullptr); }
void buffered_reader::close(std::error_code& error) noexcept { stream_->close(&error); }

const std::string& buffered_reader::name() const noexcept { return stream_->name(); }
int buffered_reader::fd() const noexcept { return stream_->fd(); }

} // namespace lastcall
