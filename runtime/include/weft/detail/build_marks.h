// A program and libweft must agree on what changes the layout or the instrumentation of what they
// share: ASan, TSan and _GLIBCXX_DEBUG. Where they do not, linking fails with an undefined
// reference whose name says what is missing.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_MARK_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WEFT_MARK_TSAN 1
#endif
#endif

#if defined(WEFT_MARK_ASAN) || defined(__SANITIZE_ADDRESS__)
#define WEFT_MARK_OF_ASAN weft_program_with_ASan_needs_libweft_with_ASan
#else
#define WEFT_MARK_OF_ASAN weft_program_without_ASan_needs_libweft_without_ASan
#endif
#if defined(WEFT_MARK_TSAN) || defined(__SANITIZE_THREAD__)
#define WEFT_MARK_OF_TSAN weft_program_with_TSan_needs_libweft_with_TSan
#else
#define WEFT_MARK_OF_TSAN weft_program_without_TSan_needs_libweft_without_TSan
#endif
#if defined(_GLIBCXX_DEBUG)
#define WEFT_MARK_OF_DEBUG weft_program_with_GLIBCXX_DEBUG_needs_libweft_with_GLIBCXX_DEBUG
#else
#define WEFT_MARK_OF_DEBUG weft_program_without_GLIBCXX_DEBUG_needs_libweft_without_GLIBCXX_DEBUG
#endif

namespace weft::detail {

extern const char WEFT_MARK_OF_ASAN, WEFT_MARK_OF_TSAN, WEFT_MARK_OF_DEBUG;

// One per source file, so that a single file with other flags than the rest is found, too.
[[gnu::used]] static const char* const build_marks[] = {&WEFT_MARK_OF_ASAN, &WEFT_MARK_OF_TSAN, &WEFT_MARK_OF_DEBUG};

}  // namespace weft::detail
