#include "pullback/cli/embedded.h"

// The assembler copies the files into read-only data, which costs a start nothing: pages are read when they are
// touched.
#define PULLBACK_EMBED(name, path)                                                            \
  __asm__(                                                                                    \
      ".pushsection .rodata\n"                                                                \
      ".global pullback_embedded_" #name                                                      \
      "_begin\n"                                                                              \
      ".hidden pullback_embedded_" #name                                                      \
      "_begin\n"                                                                              \
      "pullback_embedded_" #name                                                              \
      "_begin:\n"                                                                             \
      ".incbin \"" path                                                                       \
      "\"\n"                                                                                  \
      ".global pullback_embedded_" #name                                                      \
      "_end\n"                                                                                \
      ".hidden pullback_embedded_" #name                                                      \
      "_end\n"                                                                                \
      "pullback_embedded_" #name                                                              \
      "_end:\n"                                                                               \
      ".byte 0\n"                                                                             \
      ".popsection\n");                                                                       \
  extern "C" {                                                                                \
  __attribute__((visibility("hidden"))) extern const char pullback_embedded_##name##_begin[]; \
  __attribute__((visibility("hidden"))) extern const char pullback_embedded_##name##_end[];   \
  }                                                                                           \
  std::string_view pullback::cli::embedded_##name() {                                         \
    return {pullback_embedded_##name##_begin, pullback_embedded_##name##_end};                \
  }

PULLBACK_EMBED(page, PULLBACK_REPORT_PAGE)
PULLBACK_EMBED(style, PULLBACK_REPORT_STYLE)
PULLBACK_EMBED(script, PULLBACK_REPORT_SCRIPT)
PULLBACK_EMBED(vega, PULLBACK_REPORT_VEGA)
