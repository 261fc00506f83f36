// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "task/mailbox.hpp"

#include <asio/post.hpp>

#include <cstddef>
#include <new>
#include <utility>

namespace lastcall::detail {

namespace {

/// Has Asio put what it queues into the message's room.
template <class T>
struct room_allocator {
  using value_type = T;

  message::room* of;

  explicit room_allocator(message::room& its) noexcept : of{&its} {}
  template <class U>
  room_allocator(const room_allocator<U>& other) noexcept : of{other.of} {}
  T* allocate(std::size_t count) const {
    if (count * sizeof(T) > sizeof of->bytes) throw std::bad_alloc{};
    return reinterpret_cast<T*>(of->bytes.data());
  }
  void deallocate(T*, std::size_t) const noexcept {}
  template <class U>
  bool operator==(const room_allocator<U>& other) const noexcept {
    return of == other.of;
  }
};

/// Asio moves it out of the room before it is called or destroyed: so the room may go with it.
struct arrival {
  using allocator_type = room_allocator<std::byte>;

  std::shared_ptr<message> what;

  allocator_type get_allocator() const noexcept { return allocator_type{what->its_room()}; }
  void operator()() const noexcept { what->arrive(); }
};

} // namespace

bool mailbox::post(std::function<void()> fn) {
  const std::scoped_lock guard{lock_};
  if (to_ == nullptr) return false;
  asio::post(*to_, std::move(fn));
  return true;
}

bool mailbox::post(std::shared_ptr<message> what) noexcept {
  const std::scoped_lock guard{lock_};
  if (to_ == nullptr) return false;
  asio::post(*to_, arrival{std::move(what)});
  return true;
}

void mailbox::close() noexcept {
  const std::scoped_lock guard{lock_};
  to_ = nullptr;
}

} // namespace lastcall::detail
