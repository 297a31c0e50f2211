// Errors: values for faults of the outside world, exceptions for faults of the caller.
//
//   auto [n, err] = conn.read(buf);
//   if (err == weft::errc::eof) ...
//   std::size_t m = conn.read(buf).unwrap();     // throws std::system_error
//
// Nothing here blocks, and everything may be called from fibers and plain threads.
#pragma once
#include <weft/detail/requirements.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

// Misuse of the API: a send on a closed channel, an unlock of an unlocked mutex, ... Thrown in the
// fiber that made the mistake. A panic that leaves its fiber ends the process with exit status 2.
// Go's run-time panic.
class panic : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Expected failures that are not errors of the operating system. An enum of std::error_code.
enum class errc {
  canceled = 1,       // context.Canceled; equal to std::errc::operation_canceled
  deadline_exceeded,  // context.DeadlineExceeded; equal to std::errc::timed_out
  eof,                // io.EOF
  closed,             // net.ErrClosed
  timeout,            // os.ErrDeadlineExceeded; equal to std::errc::timed_out
};

// The category of weft::errc.
const std::error_category& weft_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), weft_category()}; }

// A value and an error. value is meaningful only if err is not set, unless a function says
// otherwise. Go's (value, err).
template <class T>
struct [[nodiscard]] result {
  T value{};
  std::error_code err{};

  // Returns the value, or throws std::system_error if there is an error.
  T unwrap() && {
    if (err) throw std::system_error(err);
    return std::move(value);
  }
  // Returns true if there is no error.
  explicit operator bool() const noexcept { return !err; }
};

}  // namespace weft

template <>
struct std::is_error_code_enum<weft::errc> : std::true_type {};
