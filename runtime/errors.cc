#include <weft/errors.h>

namespace weft {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::canceled: return "context canceled";
      case errc::deadline_exceeded: return "context deadline exceeded";
      case errc::eof: return "end of file";
      case errc::closed: return "use of closed connection";
      case errc::timeout: return "i/o timeout";
    }
    return "unknown error " + std::to_string(code);
  }

  std::error_condition default_error_condition(int code) const noexcept override {
    switch (static_cast<errc>(code)) {
      case errc::timeout:
      case errc::deadline_exceeded: return std::errc::timed_out;
      case errc::canceled: return std::errc::operation_canceled;
      default: return {code, *this};
    }
  }
};

}  // namespace

const std::error_category& weft_category() noexcept {
  static const category c;
  return c;
}

}  // namespace weft
