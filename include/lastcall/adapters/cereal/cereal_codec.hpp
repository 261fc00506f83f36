// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>
#include <lastcall/process/plain_codec.hpp>

#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>

/// The cereal library's archives over a pool's bytes: as its binary archive, without a stream in between, and
/// with lengths that are held against what there is before memory is taken for them.
namespace lastcall::adapters {

class cereal_writer : public cereal::OutputArchive<cereal_writer, cereal::AllowEmptyClassElision> {
public:
  explicit cereal_writer(byte_buffer& into)
      : cereal::OutputArchive<cereal_writer, cereal::AllowEmptyClassElision>{this}, into_{into} {}
  void save(const void* data, std::size_t size) { into_.append(data, size); }

private:
  byte_buffer& into_;
};

class cereal_reader : public cereal::InputArchive<cereal_reader, cereal::AllowEmptyClassElision> {
public:
  explicit cereal_reader(std::span<const std::byte> from)
      : cereal::InputArchive<cereal_reader, cereal::AllowEmptyClassElision>{this}, from_{from} {}
  void load(void* data, std::size_t size) {
    if (size > from_.size()) throw codec_error{"a value is cut short"};
    if (size > 0) std::memcpy(data, from_.data(), size);
    from_ = from_.subspan(size);
  }
  std::size_t left() const noexcept { return from_.size(); }

private:
  std::span<const std::byte> from_;
};

// Found by cereal through their first argument.
template <class T>
std::enable_if_t<std::is_arithmetic_v<T>> CEREAL_SAVE_FUNCTION_NAME(cereal_writer& to, const T& value) {
  to.save(std::addressof(value), sizeof value);
}
template <class T>
std::enable_if_t<std::is_arithmetic_v<T>> CEREAL_LOAD_FUNCTION_NAME(cereal_reader& from, T& value) {
  from.load(std::addressof(value), sizeof value);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& to, const cereal::NameValuePair<T>& pair) {
  to(pair.value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& from, cereal::NameValuePair<T>& pair) {
  from(pair.value);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& to, const cereal::SizeTag<T>& tag) {
  to(tag.size);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& from, cereal::SizeTag<T>& tag) {
  from(tag.size);
  if (tag.size > from.left()) throw codec_error{"a sequence is cut short"}; // an element is a byte at least
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& to, const cereal::BinaryData<T>& data) {
  to.save(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& from, cereal::BinaryData<T>& data) {
  from.load(data.data, static_cast<std::size_t>(data.size));
}

} // namespace lastcall::adapters

CEREAL_REGISTER_ARCHIVE(lastcall::adapters::cereal_writer)
CEREAL_REGISTER_ARCHIVE(lastcall::adapters::cereal_reader)
CEREAL_SETUP_ARCHIVE_TRAITS(lastcall::adapters::cereal_reader, lastcall::adapters::cereal_writer)

namespace lastcall {

/// A codec for a pool whose arguments and results are any types that cereal can serialize: your own with a
/// `serialize` function, containers, smart pointers, variants, polymorphic classes.
///
///     struct hit { std::string file; int line; template <class A> void serialize(A& archive) { archive(file,
///     line); } }; lastcall::worker_pool<scanner, lastcall::cereal_codec> pool{nursery, {.workers = 4},
///     patterns};
///
/// Header only: the library links nothing of it; target lastcall::cereal, where cereal was found. Limits: a
/// sequence of elements that are empty classes is taken for one that is cut short. See docs/processes.md.
struct cereal_codec {
  template <class... Values>
  static void encode(byte_buffer& into, const Values&... values) {
    adapters::cereal_writer writer{into};
    if constexpr (sizeof...(values) > 0) writer(values...);
  }
  /// Throws codec_error where `from` is not what `encode` made of such values; cereal::Exception.
  template <class... Values>
  static std::tuple<Values...> decode(std::span<const std::byte> from) {
    adapters::cereal_reader reader{from};
    std::tuple<Values...> values;
    if constexpr (sizeof...(Values) > 0) std::apply([&](auto&... each) { reader(each...); }, values);
    if (reader.left() != 0) throw codec_error{"more bytes than values"};
    return values;
  }
};

} // namespace lastcall
