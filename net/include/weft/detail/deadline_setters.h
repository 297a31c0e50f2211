// The setters of deadlines for the time points of any clock.
#pragma once
#include <weft/detail/chrono.h>
#include <weft/detail/deadline.h>

namespace weft::detail {

// A base of a connection that has the three for weft's own clock, and names these by `using`.
template <class Conn>
class deadline_setters {
 public:
  template <class Clock, class D>
  void set_deadline(std::chrono::time_point<Clock, D> at) const {
    self().set_deadline(own(at));
  }
  template <class Clock, class D>
  void set_read_deadline(std::chrono::time_point<Clock, D> at) const {
    self().set_read_deadline(own(at));
  }
  template <class Clock, class D>
  void set_write_deadline(std::chrono::time_point<Clock, D> at) const {
    self().set_write_deadline(own(at));
  }

 private:
  template <class Clock, class D>
  static time_point own(std::chrono::time_point<Clock, D> at) {
    return time_point(duration(deadline_of(at)));
  }
  const Conn& self() const noexcept { return static_cast<const Conn&>(*this); }
};

}  // namespace weft::detail
