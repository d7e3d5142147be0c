#include "pullback/cli/base64.h"

#include <algorithm>

namespace pullback::cli {

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned triple = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      triple = triple << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) text.push_back(j <= count ? kDigits[triple >> (18 - 6 * j) & 63U] : '=');
  }
  return text;
}

}  // namespace pullback::cli
