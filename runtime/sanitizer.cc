#include "runtime/sanitizer.h"

#include <pthread.h>

namespace weft::detail {

void sanitizer_context::adopt_thread() {
#if WEFT_ASAN
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    void* low = nullptr;
    pthread_attr_getstack(&attr, &low, &size);
    bottom = low;
    pthread_attr_destroy(&attr);
  }
#endif
#if WEFT_TSAN
  fiber = __tsan_get_current_fiber();
#endif
}

}  // namespace weft::detail
