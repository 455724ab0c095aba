#ifndef HALFOPEN_SRC_NET_RESUMPTION_HPP
#define HALFOPEN_SRC_NET_RESUMPTION_HPP

#include <asio/associated_cancellation_slot.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace halfopen::net {

/// Why a wait for a descriptor ended.
enum class wake : std::uint8_t { ready, timed_out, cancelled };

/// Who waits for a value: a completion handler of Asio's, of any type, with the coroutine that it resumes. In
/// place if it is small, as that of asio::use_awaitable is.
template <class Given>
class resumption {
 public:
  resumption() = default;
  resumption(const resumption&) = delete;
  resumption& operator=(const resumption&) = delete;
  ~resumption() { drop(); }

  [[nodiscard]] explicit operator bool() const noexcept { return it_ != nullptr; }

  template <class Handler>
  void emplace(Handler&& h) {
    using type = of<std::decay_t<Handler>>;
    if constexpr (sizeof(type) <= sizeof place_ && alignof(type) <= alignof(void*))
      it_ = ::new (static_cast<void*>(place_)) type(std::forward<Handler>(h), true);
    else
      it_ = new type(std::forward<Handler>(h), false);
  }

  /// It waits no longer, and goes on; `this` may be gone afterwards, or hold the next one.
  void resume(Given given) { std::exchange(it_, nullptr)->resume(std::move(given)); }
  /// With its coroutine, if it has one; `this` may be gone afterwards.
  void drop() noexcept {
    if (it_ != nullptr) std::exchange(it_, nullptr)->drop();
  }

 private:
  struct any {
    virtual void resume(Given given) = 0;
    virtual void drop() noexcept = 0;

   protected:
    ~any() = default;
  };

  template <class Handler>
  struct of final : any {
    template <class H>
    of(H&& h, bool is_in_place) : handler(std::forward<H>(h)), in_place(is_in_place) {}
    Handler take() noexcept {
      Handler mine(std::move(handler));
      if (in_place)
        this->~of();
      else
        delete this;
      if (auto slot = asio::get_associated_cancellation_slot(mine); slot.is_connected()) slot.clear();
      return mine;
    }
    void resume(Given given) override { take()(std::move(given)); }
    void drop() noexcept override { static_cast<void>(take()); }
    Handler handler;
    bool in_place;
  };

  alignas(void*) std::byte place_[32];
  any* it_ = nullptr;
};

}  // namespace halfopen::net

#endif
