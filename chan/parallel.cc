#include <weft/detail/parallel_range.h>
#include <weft/errors.h>

#include <string>

namespace weft::detail {

void check_grain(std::ptrdiff_t grain) {
  if (grain < 0) throw panic("parallel: grain " + std::to_string(grain) + " is negative; 0 lets weft choose");
}

}  // namespace weft::detail
