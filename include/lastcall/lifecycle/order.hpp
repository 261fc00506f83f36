// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lastcall {

/// Who has to be started before whom: names and arrows between them.
///
/// A server that starts before its database answers the first requests with errors, and one that stops after
/// it the last ones. The order is therefore data, not the accident of where a line stands in `main`: each
/// name states what it comes after, and starts follow the arrows, stops run against them.
///
/// ```cpp
/// lastcall::order o;
/// auto http = o.add("http");
/// auto db = o.add("db");
/// o.after(http, db);
/// o.sorted(); // {db, http}
/// ```
///
/// *Ordering*: `sorted()` is stable: of all names that may come next, the one added first does. The same
/// program therefore starts in the same order each time, and a program without arrows starts as written.
/// *Threads*: none of its own; not to be changed and read at once.
class order {
public:
  /// Adds a name and returns its index: 0, 1, 2, …
  /// Throws `std::logic_error` for an empty name and for one that is there already.
  std::size_t add(std::string name);

  /// States that `later` starts after `earlier`. Saying so twice is harmless; a circle is found by
  /// `sorted()`. Throws `std::logic_error` for an index that is none.
  void after(std::size_t later, std::size_t earlier);

  /// All indices, each after those it has to come after.
  /// Throws `std::logic_error` naming the circle where there is one: "a → b → a", each after the next.
  [[nodiscard]] std::vector<std::size_t> sorted() const;

  [[nodiscard]] const std::string& name(std::size_t index) const { return nodes_.at(index).name; }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

  /// What `index` was said to come after, in the order of saying.
  [[nodiscard]] std::span<const std::size_t> needs(std::size_t index) const { return nodes_.at(index).needs; }

private:
  struct node {
    std::string name;
    std::vector<std::size_t> needs;
  };

  [[nodiscard]] std::string circle(const std::vector<bool>& placed) const;

  std::vector<node> nodes_;
};

} // namespace lastcall
