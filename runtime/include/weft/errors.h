// What can go wrong and how it is said: values for the world's faults, panics for the caller's.
#pragma once
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

// Misuse of the API: send on a closed channel, unlock of an unlocked mutex, ... Thrown in the
// fiber that erred; one that leaves its fiber ends the process. Go's run-time panic.
class panic : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Expected failures that are no operating system error.
enum class errc {
  canceled = 1,       // context.Canceled
  deadline_exceeded,  // context.DeadlineExceeded
  eof,                // io.EOF
  closed,             // net.ErrClosed
  timeout,            // os.ErrDeadlineExceeded; equal to std::errc::timed_out
};

const std::error_category& weft_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), weft_category()}; }

// Go's (value, err): `auto [n, err] = conn.read(buf);`
template <class T>
struct [[nodiscard]] result {
  T value{};
  std::error_code err{};

  // The value; throws std::system_error if there is an error.
  T unwrap() && {
    if (err) throw std::system_error(err);
    return std::move(value);
  }
  explicit operator bool() const noexcept { return !err; }
};

}  // namespace weft

template <>
struct std::is_error_code_enum<weft::errc> : std::true_type {};
