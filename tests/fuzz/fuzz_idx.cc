// Image sets in the IDX format, plain or gzipped. The first two bytes say how many of the rest are the images; what
// follows are the labels.
#include <algorithm>

#include "pullback/base/idx.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

void read_input(std::string_view input) {
  const std::size_t low = take_byte(input);
  const std::size_t length = std::min(input.size(), low + 256U * take_byte(input));
  const auto images = put("images", input.substr(0, length));
  const auto labels = put("labels", input.substr(length));
  expect_read_or_refused([&] {
    const ImageSet set = read_image_set(images, labels);
    if (set.labels.size() != static_cast<std::size_t>(set.count)) std::abort();
    if (set.pixels.size() != static_cast<std::size_t>(set.count * set.pixels_per_image())) std::abort();
    set.slice(0, set.count);
  });
}

}  // namespace pullback::fuzz
