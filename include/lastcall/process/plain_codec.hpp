// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lastcall {

/// Bytes that came do not make the values they should.
class codec_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

namespace detail {

template <class>
inline constexpr bool cannot_be_sent = false;

class plain_reader {
public:
  explicit plain_reader(std::span<const std::byte> from) noexcept : from_{from} {}
  std::span<const std::byte> take(std::size_t size) {
    if (size > from_.size()) throw codec_error{"a value is cut short"};
    const auto taken = from_.first(size);
    from_ = from_.subspan(size);
    return taken;
  }
  std::size_t left() const noexcept { return from_.size(); }

private:
  std::span<const std::byte> from_;
};

template <class V>
concept plain_value =
    std::is_trivially_copyable_v<V> && !std::is_pointer_v<V> && !std::is_member_pointer_v<V>;
template <class V>
concept plain_sequence = requires(V& value, typename V::value_type one) {
  { value.size() } -> std::convertible_to<std::size_t>;
  value.begin();
  value.insert(value.end(), std::move(one));
};
template <class V>
concept packed_sequence = plain_sequence<V> && std::ranges::contiguous_range<V> && requires(V& v) {
  v.resize(1);
} && plain_value<typename V::value_type>;

template <class V>
void put(byte_buffer& into, const V& value);
template <class V>
V take(plain_reader& from);

// A map's elements have const keys; what is inserted has not.
template <class V>
struct element_of {
  using type = typename V::value_type;
};
template <class V>
requires requires { typename V::mapped_type; }
struct element_of<V> {
  using type = std::pair<typename V::key_type, typename V::mapped_type>;
};

template <class V>
inline constexpr bool is_tuple = false;
template <class... Vs>
inline constexpr bool is_tuple<std::tuple<Vs...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class V>
inline constexpr bool is_optional = false;
template <class V>
inline constexpr bool is_optional<std::optional<V>> = true;

template <class V>
void put(byte_buffer& into, const V& value) {
  if constexpr (packed_sequence<V>) {
    put(into, static_cast<std::uint64_t>(value.size()));
    into.append(value.data(), value.size() * sizeof(typename V::value_type));
  } else if constexpr (is_tuple<V>) {
    std::apply([&](const auto&... each) { (put(into, each), ...); }, value);
  } else if constexpr (is_optional<V>) {
    put(into, value.has_value());
    if (value) put(into, *value);
  } else if constexpr (plain_sequence<V>) {
    put(into, static_cast<std::uint64_t>(value.size()));
    for (const auto& each : value) put(into, static_cast<const typename V::value_type&>(each));
  } else if constexpr (plain_value<V>) {
    into.append(&value, sizeof value);
  } else {
    static_assert(cannot_be_sent<V>,
                  "plain_codec cannot send this type: give the pool another codec, such as "
                  "lastcall::cereal_codec, and the type a serialize function");
  }
}

template <class V>
V take(plain_reader& from) {
  if constexpr (packed_sequence<V>) {
    using element = typename V::value_type;
    const auto count = take<std::uint64_t>(from);
    if (count > from.left() / sizeof(element)) throw codec_error{"a sequence is cut short"};
    const auto bytes = from.take(count * sizeof(element));
    V value;
    if constexpr (std::constructible_from<V, const element*, std::size_t> && sizeof(element) == 1) {
      value.assign(reinterpret_cast<const element*>(bytes.data()), count);
    } else {
      value.resize(count);
      if (count > 0) std::memcpy(value.data(), bytes.data(), bytes.size());
    }
    return value;
  } else if constexpr (is_tuple<V>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return V{take<std::tuple_element_t<I, V>>(from)...}; // braces: from left to right
    }
    (std::make_index_sequence<std::tuple_size_v<V>>{});
  } else if constexpr (is_optional<V>) {
    return take<bool>(from) ? V{take<typename V::value_type>(from)} : V{};
  } else if constexpr (plain_sequence<V>) {
    V value;
    for (auto count = take<std::uint64_t>(from); count > 0; --count) {
      if (from.left() == 0) throw codec_error{"a sequence is cut short"};
      value.insert(value.end(), take<typename element_of<V>::type>(from));
    }
    return value;
  } else {
    V value;
    std::memcpy(static_cast<void*>(&value), from.take(sizeof value).data(), sizeof value);
    return value;
  }
}

} // namespace detail

/// Arguments and results as bytes, for a pool whose calls need nothing but the standard library's values:
/// numbers, enumerations, structs that can be copied as memory, strings, sequences, sets, maps, pairs,
/// tuples, optionals.
///
/// For types of your own that are more than memory take `lastcall::cereal_codec` (lastcall/adapters/cereal),
/// or write a codec: these two functions. Both sides are the same program, so there are no versions.
struct plain_codec {
  template <class... Values>
  static void encode(byte_buffer& into, const Values&... values) {
    (detail::put(into, values), ...);
  }
  /// Throws codec_error where `from` is not what `encode` made of such values.
  template <class... Values>
  static std::tuple<Values...> decode(std::span<const std::byte> from) {
    detail::plain_reader reader{from};
    std::tuple<Values...> values{detail::take<Values>(reader)...};
    if (reader.left() != 0) throw codec_error{"more bytes than values"};
    return values;
  }
};

} // namespace lastcall
