#include <weft/errors.h>

#include <memory>
#include <string>

#include "tests/support/catch.h"

using weft::errc;
using weft::result;

TEST_CASE("an expired deadline of I/O is the standard's time-out", "[runtime][errors]") {
  const std::error_code e = errc::timeout;
  CHECK(e == std::errc::timed_out);
  CHECK(e == errc::timeout);
  CHECK(e != std::errc::operation_canceled);
}

TEST_CASE("a cancelled context is the standard's operation_canceled", "[runtime][errors]") {
  const std::error_code e = errc::canceled;
  CHECK(e == std::errc::operation_canceled);
  CHECK(e != std::errc::timed_out);
}

TEST_CASE("a context's deadline is a time-out, but not that of I/O", "[runtime][errors][CTX-17]") {
  const std::error_code e = errc::deadline_exceeded;
  CHECK(e == std::errc::timed_out);
  CHECK(e != errc::timeout);
}

TEST_CASE("every error is itself and no other, and says something of its own", "[runtime][errors]") {
  const errc all[] = {errc::canceled, errc::deadline_exceeded, errc::eof, errc::closed, errc::timeout};
  for (errc a : all) {
    const std::error_code e = a;
    CHECK(e);  // none of them is success
    CHECK(std::string(e.category().name()) == "weft");
    CHECK_FALSE(e.message().empty());
    for (errc b : all) {
      CHECK((e == std::error_code(b)) == (a == b));
      CHECK((e.message() == std::error_code(b).message()) == (a == b));
    }
  }
  CHECK(std::error_code(99, weft::weft_category()).message() == "unknown error 99");
}

TEST_CASE("a result without error unwraps to its value", "[runtime][errors]") {
  result<int> r{7, {}};
  CHECK(static_cast<bool>(r));
  CHECK(std::move(r).unwrap() == 7);
  auto [n, err] = result<std::string>{"text", {}};
  CHECK(n == "text");
  CHECK_FALSE(err);
}

TEST_CASE("a result with an error throws it when unwrapped", "[runtime][errors]") {
  result<int> r{0, errc::eof};
  CHECK_FALSE(static_cast<bool>(r));
  try {
    std::move(r).unwrap();
    FAIL("no exception");
  } catch (const std::system_error& e) {
    CHECK(e.code() == errc::eof);
    CHECK(std::string(e.what()).find("end of file") != std::string::npos);
  }
}

TEST_CASE("a result may hold what can only be moved", "[runtime][errors]") {
  result<std::unique_ptr<int>> r{std::make_unique<int>(3), {}};
  const std::unique_ptr<int> p = std::move(r).unwrap();
  CHECK(*p == 3);
}

TEST_CASE("a panic is a logic_error and no system_error", "[runtime][errors]") {
  CHECK_THROWS_AS(throw weft::panic("x"), std::logic_error);
  try {
    throw weft::panic("what was wrong");
  } catch (const std::logic_error& e) {
    CHECK(std::string(e.what()) == "what was wrong");
  }
}
