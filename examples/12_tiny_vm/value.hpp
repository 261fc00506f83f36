// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tiny {

class world;

enum class kind : std::uint8_t {
  unset, ///< a global before its first assignment
  nil,
  number,
  function,
  outcome, ///< of a `finally`: how it was come to; nil: in the ordinary way
  text,    ///< from here on: a cell
  object,
  lock,
  thread,
  method
};

/// What values share by counted references. The counts are plain numbers: the big lock keeps them.
class cell {
public:
  cell(world& home, tiny::kind its) noexcept;
  virtual ~cell();
  cell(const cell&) = delete;
  cell& operator=(const cell&) = delete;
  tiny::kind kind() const noexcept { return kind_; }
  world& home() const noexcept { return home_; }
  /// Lets go of the cells it refers to without counting: for the end of all of them.
  virtual void forget() noexcept {}

private:
  friend class value;
  friend class world;
  world& home_;
  const tiny::kind kind_;
  std::size_t references_ = 0;
  cell* newer_ = nullptr; ///< in the world's list of all, or of the dead
  cell* older_ = nullptr;
};

/// Nil, a number, or a counted reference to a cell.
///
/// Threads: one holds the big lock while it copies or destroys one that refers to a cell. So no value lies in
/// a
///   C++ frame that may be unwound without it: see machine.hpp.
class value {
public:
  value() noexcept = default;
  explicit value(std::int64_t number) noexcept : kind_{kind::number}, number_{number} {}
  value(tiny::kind its, std::int64_t number) noexcept : kind_{its}, number_{number} {}
  explicit value(cell& of) noexcept : kind_{of.kind()}, cell_{&of} { ++of.references_; }
  value(const value& from) noexcept : kind_{from.kind_}, number_{from.number_} {
    if (is_cell()) ++cell_->references_;
  }
  value(value&& from) noexcept : kind_{std::exchange(from.kind_, kind::nil)}, number_{from.number_} {}
  value& operator=(const value& from) noexcept { return *this = value{from}; }
  value& operator=(value&& from) noexcept { // not from itself
    cell* const old = is_cell() ? cell_ : nullptr;
    kind_ = std::exchange(from.kind_, kind::nil);
    number_ = from.number_;
    if (old != nullptr) drop(*old);
    return *this;
  }
  ~value() {
    if (is_cell()) drop(*cell_);
  }
  void clear() noexcept { take(); }
  /// Becomes what `from` was, which becomes nil; or becomes nil. True where a reference was given up for it.
  bool take(value& from) noexcept {
    const bool was_cell = is_cell();
    *this = std::move(from);
    return was_cell;
  }
  bool take() noexcept {
    if (!is_cell()) return false;
    kind_ = kind::nil;
    drop(*cell_);
    return true;
  }

  static value unset() noexcept { return {kind::unset, 0}; }
  tiny::kind kind() const noexcept { return kind_; }
  bool is_number() const noexcept { return kind_ == kind::number; }
  bool is_cell() const noexcept { return kind_ >= kind::text; }
  bool holds() const noexcept { return is_number() ? number_ != 0 : kind_ > kind::nil; }
  std::int64_t number() const noexcept { return number_; }
  std::int64_t& number() noexcept { return number_; }
  template <class Cell>
  Cell& as() const noexcept {
    return static_cast<Cell&>(*cell_);
  }
  bool is_same(const value& other) const noexcept {
    return kind_ == other.kind_ && (kind_ == kind::nil || number_ == other.number_);
  }
  /// Forgets what it refers to, without counting.
  void forget() noexcept { kind_ = kind::nil; }

private:
  static void drop(cell& of) noexcept;

  tiny::kind kind_ = kind::nil;
  union {
    std::int64_t number_ = 0;
    cell* cell_;
  };
};

} // namespace tiny
