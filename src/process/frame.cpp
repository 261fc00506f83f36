// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/frame.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace lastcall::detail {

std::string_view name_of(frame_fault what) noexcept {
  switch (what) {
  case frame_fault::none: return "nothing is wrong";
  case frame_fault::cut_short: return "a frame was cut short";
  case frame_fault::wrong_mark: return "what came is no frame";
  case frame_fault::wrong_version: return "a frame of another version";
  case frame_fault::unknown_kind: return "a frame of an unknown kind";
  case frame_fault::too_long: return "a frame is longer than the limit";
  case frame_fault::no_memory: return "no memory for a frame";
  case frame_fault::broken: return "the connection failed";
  }
  return "unknown";
}

frame_fault fault_of(const frame_head& head, std::uint64_t limit) noexcept {
  if (head.mark != frame_head::the_mark) return frame_fault::wrong_mark;
  if (head.version != frame_head::the_version) return frame_fault::wrong_version;
  const bool known = (head.kind >= frame_kind::construct && head.kind <= frame_kind::stop) ||
                     (head.kind >= frame_kind::bootstrapped && head.kind <= frame_kind::cut);
  if (!known) return frame_fault::unknown_kind;
  return head.size > limit ? frame_fault::too_long : frame_fault::none;
}

void frame_inbox::begin_anew() noexcept {
  from_ = to_ = filled_ = 0;
  have_head_ = false;
  body_.clear();
  fault_ = frame_fault::none;
}

std::span<std::byte> frame_inbox::room() noexcept {
  if (have_head_ && filled_ < body_.size()) return {body_.data() + filled_, body_.size() - filled_};
  if (from_ == to_) from_ = to_ = 0;
  if (from_ > 0) { // the beginning of a head
    std::memmove(stage_.data(), stage_.data() + from_, to_ - from_);
    to_ -= from_;
    from_ = 0;
  }
  return {stage_.data() + to_, stage_size - to_};
}

frame_inbox::progress frame_inbox::came(std::size_t bytes) noexcept {
  if (bytes == 0) {
    if (!have_head_ && from_ == to_) return progress::end;
    fault_ = frame_fault::cut_short;
    return progress::fault;
  }
  if (have_head_ && filled_ < body_.size())
    filled_ += bytes;
  else
    to_ += bytes;
  return look();
}

frame_inbox::progress frame_inbox::next() noexcept {
  have_head_ = false;
  body_.clear();
  filled_ = 0;
  return look();
}

frame_inbox::progress frame_inbox::look() noexcept {
  if (fault_ != frame_fault::none) return progress::fault;
  if (!have_head_) {
    if (to_ - from_ < sizeof head_) return progress::more;
    std::memcpy(&head_, stage_.data() + from_, sizeof head_);
    from_ += sizeof head_;
    fault_ = fault_of(head_, limit_);
    if (fault_ != frame_fault::none) return progress::fault;
    try {
      body_.grow(head_.size);
    } catch (const std::bad_alloc&) {
      fault_ = frame_fault::no_memory;
      return progress::fault;
    }
    have_head_ = true;
  }
  const std::size_t some = std::min(body_.size() - filled_, to_ - from_);
  if (some > 0) std::memcpy(body_.data() + filled_, stage_.data() + from_, some);
  filled_ += some;
  from_ += some;
  return filled_ == body_.size() ? progress::whole : progress::more;
}

} // namespace lastcall::detail
