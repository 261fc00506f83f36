// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/buffered_file.hpp>

#include "stream/file_stream.hpp"

#include <utility>

namespace lastcall {

namespace {

sys::seek_from as_call(seek_origin from) noexcept {
  switch (from) {
  case seek_origin::start: return sys::seek_from::start;
  case seek_origin::here: return sys::seek_from::here;
  case seek_origin::end: break;
  }
  return sys::seek_from::end;
}

} // namespace

buffered_file::buffered_file(raw_fd fd, const stream_options& options)
    : stream_{new detail::file_stream{std::move(fd), options}} {}

buffered_file::~buffered_file() {
  if (stream_->finish()) delete stream_;
}

std::size_t buffered_file::write(std::string_view record) {
  return stream_->write(record.data(), record.size(), nullptr);
}
std::size_t buffered_file::write(std::string_view record, std::error_code& error) noexcept {
  return stream_->write(record.data(), record.size(), &error);
}

std::size_t buffered_file::read(std::span<char> into) {
  return stream_->read(into.data(), into.size(), nullptr);
}
std::size_t buffered_file::read(std::span<char> into, std::error_code& error) noexcept {
  return stream_->read(into.data(), into.size(), &error);
}
bool buffered_file::read_line(std::string& line) { return stream_->read_until('\n', line, nullptr); }
bool buffered_file::read_line(std::string& line, std::error_code& error) noexcept {
  return stream_->read_until('\n', line, &error);
}

std::uint64_t buffered_file::seek(std::int64_t offset, seek_origin from) {
  return stream_->seek(offset, as_call(from), nullptr);
}
std::uint64_t buffered_file::seek(std::int64_t offset, seek_origin from, std::error_code& error) noexcept {
  return stream_->seek(offset, as_call(from), &error);
}
std::uint64_t buffered_file::tell() { return stream_->tell(nullptr); }
std::uint64_t buffered_file::tell(std::error_code& error) noexcept { return stream_->tell(&error); }

void buffered_file::flush() { stream_->flush(nullptr); }
void buffered_file::flush(std::error_code& error) noexcept { stream_->flush(&error); }
void buffered_file::close() { stream_->close(nullptr); }
void buffered_file::close(std::error_code& error) noexcept { stream_->close(&error); }

std::error_code buffered_file::error() const noexcept { return stream_->error(); }
void buffered_file::clear_error() noexcept { stream_->clear_error(); }
stream_counts buffered_file::counts() const noexcept { return stream_->counts(); }
const std::string& buffered_file::name() const noexcept { return stream_->name(); }
int buffered_file::fd() const noexcept { return stream_->fd(); }

} // namespace lastcall
