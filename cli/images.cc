#include "pullback/cli/images.h"

#include <fmt/format.h>

#include "pullback/generators/error.h"
#ifdef PULLBACK_IMAGES
#include "pullback/training/idx.h"
#endif

namespace pullback::cli {

#ifdef PULLBACK_IMAGES

Matrix read_heldout_images(const std::filesystem::path& folder, int pixels) {
  const training::ImageSet images = training::load_dataset(folder, std::nullopt).heldout;
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

#else

Matrix read_heldout_images(const std::filesystem::path& folder, int /*pixels*/) {
  throw Error(fmt::format("{}: this build reads no images: built without zlib", folder.string()));
}

#endif

}  // namespace pullback::cli
