// Tells libFuzzer which branches were taken, as GCC's -fsanitize-coverage=trace-pc reports them.
//
// libFuzzer takes counters that are incremented wherever the program comes by. GCC calls a function there instead,
// which keeps the counters in a table by the address it was called from; two places that share a counter are rare and
// harm nothing but the fuzzer's sight.
#include <cstddef>
#include <cstdint>

extern "C" void __sanitizer_cov_8bit_counters_init(std::uint8_t* begin, std::uint8_t* end);

namespace {

constexpr std::size_t kCounters = std::size_t{1} << 17;
// No std::array: its functions are instrumented, and would call what calls them.
std::uint8_t counters[kCounters];  // NOLINT(modernize-avoid-c-arrays)

[[gnu::constructor]] void hand_over_counters() { __sanitizer_cov_8bit_counters_init(counters, counters + kCounters); }

}  // namespace

// Without sanitizers, whose checks would call it again.
extern "C" __attribute__((no_sanitize_coverage, no_sanitize("address", "undefined"))) void __sanitizer_cov_trace_pc() {
  const auto caller = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uint8_t* const counter = counters + ((caller ^ (caller >> 15)) & (kCounters - 1));
  if (*counter != 255) ++*counter;
}

// libFuzzer does not take compared floating-point numbers.
extern "C" void __sanitizer_cov_trace_cmpf(float, float) {}
extern "C" void __sanitizer_cov_trace_cmpd(double, double) {}
