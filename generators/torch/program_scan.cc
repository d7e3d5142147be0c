#include "pullback/generators/torch/program_scan.h"

#include <ATen/core/enum_type.h>
#include <ATen/core/interned_strings.h>
#include <ATen/core/jit_type.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

#include <map>
#include <set>
#include <string>

#include "pullback/generators/torch/source_scan.h"
#include "pullback/generators/torch/zip.h"

namespace pullback::internal {
namespace {

using torch::jit::Block;
using torch::jit::Node;

constexpr std::int64_t kMostOperations = 1'000'000;
constexpr int kDeepestCalls = 200;

[[noreturn]] void fail(const std::string& what) { throw ArchiveFailure(what); }

std::string place_of(const Node& node) {
  if (const auto place = node.sourceRange().file_line_col()) {
    const auto& [file, line, column] = *place;
    return fmt::format("{} line {}", file, line);
  }
  return "its code";
}

torch::jit::Graph* subgraph_of(const Node& node) {
  return node.hasAttribute(c10::attr::Subgraph) ? node.g(c10::attr::Subgraph).get() : nullptr;
}

void check_block(Block& block, const std::string& function) {
  for (auto it = block.nodes().begin(); it != block.nodes().end();) {
    Node& node = **it++;
    const std::string kind = node.kind().toQualString();
    if ((kind == "prim::Print" || kind == "aten::warn") && !node.hasUses()) {
      node.destroy();
      continue;
    }
    if (!is_allowed_operator(kind)) {
      fail(
          fmt::format("{} calls {} ({}), which may touch files, processes, other libraries or memory of others; a "
                      "TorchScript file is opened only if all that it does is to compute",
                      function, kind, place_of(node)));
    }
    for (Block* inner : node.blocks()) check_block(*inner, function);
    if (auto* graph = subgraph_of(node)) check_block(*graph->block(), function);
  }
}

// How many operations a function has when all calls are unfolded.
class Unfolded {
 public:
  std::int64_t size(torch::jit::Function& function, int depth) {
    if (depth > kDeepestCalls) fail("its functions call one another too deeply");
    if (const auto found = sizes_.find(&function); found != sizes_.end()) return found->second;
    if (!function.isGraphFunction()) return 1;
    const std::int64_t size = block_size(*torch::jit::toGraphFunction(function).graph()->block(), depth);
    sizes_[&function] = size;
    return size;
  }

 private:
  static torch::jit::Function* called(const Node& node) {
    if (node.kind() == c10::prim::CallFunction) {
      const auto type = node.input(0)->type()->cast<c10::FunctionType>();
      return type ? type->function() : nullptr;
    }
    if (node.kind() != c10::prim::CallMethod) return nullptr;
    const auto type = node.input(0)->type()->cast<c10::ClassType>();
    return type ? type->findMethod(node.s(c10::attr::name)) : nullptr;
  }

  std::int64_t block_size(const Block& block, int depth) {
    std::int64_t total = 0;
    for (const Node* node : block.nodes()) {
      ++total;
      for (const Block* inner : node->blocks()) total += block_size(*inner, depth);
      if (auto* function = called(*node)) total += size(*function, depth + 1);
      if (total > kMostOperations) fail(fmt::format("its calls unfold to more than {} operations", kMostOperations));
    }
    return total;
  }

  std::map<torch::jit::Function*, std::int64_t> sizes_;
};

// Whether values are what their types say, down to the last element.
class Values {
 public:
  bool conform(const c10::IValue& value, const c10::TypePtr& type) {
    switch (type->kind()) {
      case c10::TypeKind::AnyType:
        return !value.isObject() || object(value);
      case c10::TypeKind::TensorType:
        return value.isTensor();
      case c10::TypeKind::NoneType:
        return value.isNone();
      case c10::TypeKind::IntType:
      case c10::TypeKind::LayoutType:
      case c10::TypeKind::ScalarTypeType:
      case c10::TypeKind::MemoryFormatType:
        return value.isInt();
      case c10::TypeKind::FloatType:
        return value.isDouble();
      case c10::TypeKind::ComplexType:
        return value.isComplexDouble();
      case c10::TypeKind::BoolType:
        return value.isBool();
      case c10::TypeKind::NumberType:
        return value.isScalar();
      case c10::TypeKind::StringType:
        return value.isString();
      case c10::TypeKind::DeviceObjType:
        return value.isDevice();
      case c10::TypeKind::EnumType:
        return value.isEnum();
      default:
        return container(value, type);
    }
  }

 private:
  bool container(const c10::IValue& value, const c10::TypePtr& type) {
    if (const auto optional = type->cast<c10::OptionalType>()) {
      return value.isNone() || conform(value, optional->getElementType());
    }
    if (const auto choice = type->cast<c10::UnionType>()) {
      for (const auto& one : choice->containedTypes()) {
        if (conform(value, one)) return true;
      }
      return false;
    }
    if (const auto list = type->cast<c10::ListType>()) {
      if (!value.isList()) return false;
      for (const c10::IValue& element : value.toListRef()) {
        if (!conform(element, list->getElementType())) return false;
      }
      return true;
    }
    if (const auto tuple = type->cast<c10::TupleType>()) return elements(value, *tuple);
    if (const auto dictionary = type->cast<c10::DictType>()) {
      if (!value.isGenericDict()) return false;
      for (const auto& item : value.toGenericDict()) {
        if (!conform(item.key(), dictionary->getKeyType()) || !conform(item.value(), dictionary->getValueType())) {
          return false;
        }
      }
      return true;
    }
    const bool object_type = type->cast<c10::ClassType>() != nullptr || type->cast<c10::InterfaceType>() != nullptr;
    return object_type && value.isObject() && value.type()->isSubtypeOf(*type) && object(value);
  }

  bool elements(const c10::IValue& value, const c10::TupleType& type) {
    if (!value.isTuple() || value.toTupleRef().elements().size() != type.elements().size()) return false;
    for (std::size_t i = 0; i < type.elements().size(); ++i) {
      if (!conform(value.toTupleRef().elements()[i], type.elements()[i])) return false;
    }
    return true;
  }

  // Always true; what is wrong within an object is named where it is.
  bool object(const c10::IValue& value) {
    const auto& object = value.toObjectRef();
    if (!seen_.insert(&object).second) return true;
    const auto type = object.type();
    if (object.slots().size() < type->numAttributes()) fail("an object has fewer attributes than its class");
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      if (conform(object.getSlot(i), type->getAttribute(i))) continue;
      fail(fmt::format("the attribute '{}' of {} is a {}, its class declares {:.80}", type->getAttributeName(i),
                       type->name()->name(), object.getSlot(i).tagKind(), type->getAttribute(i)->annotation_str()));
    }
    return true;
  }

  std::set<const void*> seen_;
};

}  // namespace

void scan_program(torch::jit::Module& module) {
  const auto unit = module._ivalue()->compilation_unit();
  Unfolded unfolded;
  for (torch::jit::Function* function : unit->get_functions()) {
    if (!function->isGraphFunction()) fail(fmt::format("{} is no function of this file", function->name()));
    check_block(*torch::jit::toGraphFunction(*function).graph()->block(), function->qualname().name());
  }
  for (torch::jit::Function* function : unit->get_functions()) unfolded.size(*function, 0);
  Values().conform(module._ivalue(), module.type());
}

}  // namespace pullback::internal
