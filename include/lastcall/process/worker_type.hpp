// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

/// What a worker does with bytes; made by worker_pool for its type, used in the worker.
namespace lastcall::detail {

using bytes_in = std::span<const std::byte>;

/// How a pool's object is made and destroyed. The address of this is what a worker is told, as the distance
/// from the beginning of its program or library.
struct worker_type {
  void* (*construct)(bytes_in arguments);
  void (*destroy)(void* object);
};

/// A method: decodes its arguments, calls it, encodes its result.
using worker_method = void (*)(void* object, bytes_in arguments, byte_buffer& result);

template <class T, class Codec, class... Arguments>
struct worker_type_of {
  static void* construct(bytes_in from) {
    auto arguments = Codec::template decode<Arguments...>(from);
    return std::apply([](Arguments&... each) { return new T(std::move(each)...); }, arguments);
  }
  static void destroy(void* object) { delete static_cast<T*>(object); }
  static constexpr worker_type value{&construct, &destroy};
};

template <class Method>
struct method_traits;
template <class T, class R, class... As>
struct method_traits<R (T::*)(As...)> {
  using object = T;
  using result = std::remove_cvref_t<R>;
  using arguments = std::tuple<std::remove_cvref_t<As>...>;
};
template <class T, class R, class... As>
struct method_traits<R (T::*)(As...) const> : method_traits<R (T::*)(As...)> {};
template <class T, class R, class... As>
struct method_traits<R (T::*)(As...) noexcept> : method_traits<R (T::*)(As...)> {};
template <class T, class R, class... As>
struct method_traits<R (T::*)(As...) const noexcept> : method_traits<R (T::*)(As...)> {};

template <auto Method, class T, class Codec>
struct method_of {
  using traits = method_traits<decltype(Method)>;
  using result = typename traits::result;
  using arguments = typename traits::arguments;

  static void invoke(void* object, bytes_in from, byte_buffer& into) {
    auto values = decoded(from, std::type_identity<arguments>{});
    const auto call = [&](auto&... each) -> decltype(auto) {
      return (static_cast<T*>(object)->*Method)(std::move(each)...);
    };
    if constexpr (std::is_void_v<result>)
      std::apply(call, values);
    else
      Codec::encode(into, static_cast<const result&>(std::apply(call, values)));
  }

  template <class... As>
  static auto decoded(bytes_in from, std::type_identity<std::tuple<As...>>) {
    return Codec::template decode<As...>(from);
  }
  /// The caller's arguments become the method's types before they are encoded.
  template <class... Given>
  static void encode(byte_buffer& into, Given&&... given) {
    static_assert(sizeof...(Given) == std::tuple_size_v<arguments>,
                  "a call with the wrong number of arguments");
    encode_as(into, std::type_identity<arguments>{}, std::forward<Given>(given)...);
  }
  template <class... As, class... Given>
  static void encode_as(byte_buffer& into, std::type_identity<std::tuple<As...>>, Given&&... given) {
    Codec::encode(into, as<As>(given)...);
  }
  /// Itself where it is of that type, so that large ones are not copied.
  template <class A, class G>
  static std::conditional_t<std::is_same_v<A, G>, const A&, A> as(const G& given) {
    return static_cast<std::conditional_t<std::is_same_v<A, G>, const A&, A>>(given);
  }
};

} // namespace lastcall::detail
