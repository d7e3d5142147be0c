#include "pullback/generators/torch/opening_limits.h"

#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

namespace pullback::internal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMostBodies = 100'000;
constexpr std::int64_t kBodiesBetweenLooks = 64;  // at the clock
constexpr auto kMostLoopTime = std::chrono::seconds(3);
constexpr std::uintmax_t kLargestTensor = std::uintmax_t{2} << 30;
constexpr std::uintmax_t kTensorsPerFile = 8;
constexpr std::size_t kSmall = std::size_t{64} << 20;  // what is smaller need not be compared with the free memory
constexpr char kTick[] = "pullback::count_loop";

// Of one thread: an evaluation does not change threads.
struct Limits {
  std::int64_t bodies = std::numeric_limits<std::int64_t>::max();  // that are left
  bool opening = false;
  bool spent = false;  // a loop went beyond its limit during this opening
  Clock::time_point loops_end;
  std::uintmax_t largest = std::numeric_limits<std::uintmax_t>::max();  // tensor
};
thread_local Limits t_limits;

[[noreturn]] void loop_is_spent() {
  t_limits.spent = t_limits.opening;
  throw std::runtime_error(
      fmt::format("a loop of its forward does not end: over {} passes, or over {} s on the few points of a trial",
                  kMostBodies, kMostLoopTime.count()));
}

void count_loop(torch::jit::Stack& /*stack*/) {
  Limits& limits = t_limits;
  if (limits.spent || --limits.bodies < 0) loop_is_spent();
  if (limits.opening && limits.bodies % kBodiesBetweenLooks == 0 && Clock::now() > limits.loops_end) loop_is_spent();
}

// Once in the process; LibTorch keeps the operator for ever.
void register_count() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      std::string(kTick) + "() -> ()", torch::jit::Operation(count_loop), c10::AliasAnalysisKind::CONSERVATIVE)});
}

void limit_block(torch::jit::Graph& graph, torch::jit::Block& block) {
  for (torch::jit::Node* node : block.nodes()) {
    for (torch::jit::Block* inner : node->blocks()) limit_block(graph, *inner);
    if (node->kind() != c10::prim::Loop) continue;
    torch::jit::Node* count = graph.create(c10::Symbol::fromQualString(kTick), 0);
    node->blocks()[0]->prependNode(count);
  }
}

// In bytes; everything where the system does not say.
std::uintmax_t free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uintmax_t kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes << 10;
  }
  return std::numeric_limits<std::uintmax_t>::max();
}

// LibTorch's allocator, which refuses tensors beyond the limit of the thread that asks.
class LimitedAllocator : public c10::Allocator {
 public:
  explicit LimitedAllocator(c10::Allocator* inner) : inner_(inner) {}

  c10::DataPtr allocate(std::size_t size) const override {
    const bool opening = t_limits.opening;
    if (opening && (size > t_limits.largest || (size > kSmall && size > free_memory() / 2))) {
      throw std::runtime_error(fmt::format("it asks for a tensor of {} bytes while it is opened", size));
    }
    return inner_->allocate(size);
  }
  c10::DeleterFnPtr raw_deleter() const override { return inner_->raw_deleter(); }

 private:
  c10::Allocator* inner_;
};

void limit_allocator() {
  // It stays for the rest of the process, as tensors do that were made with it.
  static const bool installed = [] {
    static LimitedAllocator* const allocator = new LimitedAllocator(c10::GetCPUAllocator());
    c10::SetCPUAllocator(allocator, std::numeric_limits<std::uint8_t>::max());
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace

void limit_loops(torch::jit::Graph& graph) {
  register_count();
  limit_block(graph, *graph.block());
}

LoopLimit::LoopLimit() { t_limits.bodies = kMostBodies; }
LoopLimit::~LoopLimit() { t_limits.bodies = std::numeric_limits<std::int64_t>::max(); }

OpeningLimits::OpeningLimits(std::uintmax_t file_size) {
  limit_allocator();
  t_limits.opening = true;
  t_limits.spent = false;
  t_limits.loops_end = Clock::now() + kMostLoopTime;
  t_limits.largest = kLargestTensor + kTensorsPerFile * file_size;
}

OpeningLimits::~OpeningLimits() {
  t_limits.opening = false;
  t_limits.spent = false;
  t_limits.largest = std::numeric_limits<std::uintmax_t>::max();
}

}  // namespace pullback::internal
