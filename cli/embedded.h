// Files that are part of the binary.
#pragma once

#include <string_view>

namespace pullback::cli {

std::string_view embedded_page();    // cli/report/page.html
std::string_view embedded_style();   // cli/report/style.css
std::string_view embedded_script();  // cli/report/*.js, one after the other
std::string_view embedded_vega();    // Vega and its licence

}  // namespace pullback::cli
