// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/record.hpp>

#include "stream/output_stream.hpp"

#include <algorithm>
#include <utility>

namespace lastcall {

record& record::append(std::string_view piece) {
  const std::size_t here = std::min(piece.size(), more_.empty() ? few_.size() - size_ : 0);
  std::copy_n(piece.data(), here, few_.data() + size_);
  more_.append(piece.substr(here));
  size_ += here;
  return *this;
}

// In one piece: the few are put before the rest.
std::string_view record::text() {
  if (more_.empty()) return {few_.data(), size_};
  more_.insert(0, few_.data(), size_);
  size_ = 0;
  return more_;
}

std::size_t record::send() {
  const std::string_view all = text();
  const std::size_t accepted = to_.write(all);
  std::string rest{all.substr(accepted)};
  size_ = 0;
  more_ = std::move(rest);
  return accepted;
}

void record::clear() noexcept {
  size_ = 0;
  more_.clear();
}

record::~record() {
  if (size() == 0) return;
  try {
    const std::string_view all = text();
    std::error_code kept_by_the_writer;
    to_.stream_->write_by(detail::round_of_a_destructor().until, all.data(), all.size(), kept_by_the_writer);
  } catch (...) { // no memory to put it together
  }
}

} // namespace lastcall
