// Finding fibers that a test has left behind. Go's goleak.
//
//   weft::run([] {
//     weft::testing::leak_check check([](const std::string& report) { FAIL_CHECK(report); });
//     ... the test ...
//   });
//
// A fiber is left behind if it was started during the life of the check and has not ended at its
// end. The report names each such fiber with its stack and the go statement that started it.
#pragma once
#include <weft/detail/requirements.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weft::testing {

// Describes fibers that a leak check ignores. A function is given by a part of its name, as dumps
// show it.
class ignore {
 public:
  static ignore top_function(std::string part);    // the innermost function of its stack
  static ignore any_function(std::string part);    // any function of its stack
  static ignore start_function(std::string part);  // the function that contains its go statement
  static ignore current();                         // all fibers that exist at the call

 private:
  friend struct leak_filter;
  enum kind { top, any, start, ids } kind_;
  std::string part_;
  std::vector<std::uint64_t> ids_;

  ignore(kind k, std::string part, std::vector<std::uint64_t> some)
      : kind_(k), part_(std::move(part)), ids_(std::move(some)) {}
};

// Returns a dump of all fibers other than the main fiber, the caller and weft's own (named "weft:
// ..."); empty if there are none, or if no world runs. Blocks: reads up to 20 times, and sleeps 1
// us, 2 us, ... up to 100 ms in between, so that fibers that are about to end can end. From a
// fiber, or a plain thread. Go's goleak.Find.
std::string find_leaks(std::span<const ignore> overlook = {});

// Its destructor calls find_leaks() for the fibers that were started during its life, and calls
// `found` with the report if there are any. The default prints the report and ends the process with
// status 2. Go's goleak.VerifyNone.
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
