#include <weft/detail/build_marks.h>

namespace weft::detail {

// What this library is built with.
const char WEFT_MARK_OF_ASAN = 1, WEFT_MARK_OF_TSAN = 1, WEFT_MARK_OF_DEBUG = 1;

}  // namespace weft::detail
