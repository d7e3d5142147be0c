#include "pullback/analysis/images.h"

#include <fmt/format.h>

#include "pullback/base/error.h"
#include "pullback/base/idx.h"

namespace pullback {

Matrix read_heldout_images(const std::filesystem::path& folder, int pixels) {
  const ImageSet images = load_dataset(folder, std::nullopt).heldout;
  if (images.pixels_per_image() != pixels) {
    throw Error(fmt::format("{}: images of {}×{} pixels, but the model makes {} outputs", folder.string(), images.rows,
                            images.columns, pixels));
  }
  constexpr double kWhite = 255;
  return Eigen::Map<const Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>>(images.pixels.data(), pixels,
                                                                                       images.count)
             .cast<double>() /
         kWhite;
}

}  // namespace pullback
