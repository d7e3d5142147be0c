// Trained models as files.
#pragma once

#include "pullback/training/trainer.h"

namespace pullback::training {

// Writes weights, codes, labels and how they were made, in the shipped format "pullback-model-1".
// Errors: pullback::Error with the path; what stood there before then stays.
void write_trained_model(const Options& options, const Dataset& data, const TrainedModel& model, double final_loss);

}  // namespace pullback::training
