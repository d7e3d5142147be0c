// Bytes as text.
#pragma once

#include <string>

namespace pullback::cli {

// RFC 4648, section 4.
std::string base64(const std::string& bytes);

}  // namespace pullback::cli
