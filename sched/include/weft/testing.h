// Finding fibers that a test has left behind.
//
//   weft::run([] {
//     weft::testing::leak_check check([](const std::string& report) { FAIL_CHECK(report); });
//     ... the test ...
//   });
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weft::testing {

// Which fibers a leak check overlooks. Functions are named as dumps show them; a part of the name will do.
class ignore {
 public:
  static ignore top_function(std::string part);    // the innermost of its stack
  static ignore any_function(std::string part);    // anywhere in its stack
  static ignore start_function(std::string part);  // the one that its go statement stands in
  static ignore current();                         // all fibers that there are now

 private:
  friend struct leak_filter;
  enum kind { top, any, start, ids } kind_;
  std::string part_;
  std::vector<std::uint64_t> ids_;

  ignore(kind k, std::string part, std::vector<std::uint64_t> some)
      : kind_(k), part_(std::move(part)), ids_(std::move(some)) {}
};

// Fibers other than the main one, the caller and weft's own (named "weft: ..."), as in a dump; empty if
// there are none. Fibers that are about to end are waited for: it looks up to 20 times, between which
// it sleeps 1 us, 2 us, ... 100 ms. From a fiber, or a plain thread while a world runs; Go's goleak.Find.
std::string find_leaks(std::span<const ignore> overlook = {});

// Looks when it is destroyed for fibers that were not there when it was made, and calls `found` with the
// report if there are any. The default prints it and ends the process with status 2.
class leak_check {
 public:
  using found_fn = std::function<void(const std::string& report)>;

  explicit leak_check(found_fn found = {}, std::vector<ignore> overlook = {});
  ~leak_check();
  leak_check(const leak_check&) = delete;
  leak_check& operator=(const leak_check&) = delete;

 private:
  found_fn found_;
  std::vector<ignore> overlook_;
};

}  // namespace weft::testing
