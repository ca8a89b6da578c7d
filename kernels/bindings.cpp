// The Python module wending._kernels. Classes are handles: the maths never sees a Python object. The interpreter lock is
// released where an operation is long enough for another thread to make use of it.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "checksum.h"
#include "operations.h"
#include "quantized_format.h"
#include "sampling.h"
#include "thread_pool.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace wending;

namespace {

using Ids = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Tables = nb::ndarray<const int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class Value>
using Rows = nb::ndarray<const Value, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class Array>
std::vector<int32_t> copied(const Array& array) {
    return std::vector<int32_t>(array.data(), array.data() + array.size());
}

template <class Value>
void fill(Weight& weight, int64_t first, const Rows<Value>& rows) {
    if (int64_t(rows.shape(1)) != weight.inputs)
        throw std::invalid_argument("fill: rows must be " + std::to_string(weight.inputs) + " wide, are " +
                                    std::to_string(rows.shape(1)));
    const nb::gil_scoped_release release;
    weight.fill(first, int64_t(rows.shape(0)), rows.data());
}

// The packed bytes of a weight; those of borrowed panels are read-only.
nb::object panels_of(nb::handle self) {
    const Weight& weight = nb::cast<const Weight&>(self);
    const size_t size = weight.panels.bytes();
    uint8_t* const bytes = static_cast<uint8_t*>(weight.panels.data());
    if (weight.panels.is_borrowed())
        return nb::cast(nb::ndarray<nb::numpy, const uint8_t, nb::ndim<1>>(bytes, 1, &size, self));
    return nb::cast(nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(bytes, 1, &size, self));
}

void fill_codes(Weight& weight, int64_t first, const Rows<uint8_t>& codes, const Rows<float>& scales,
                const std::optional<Rows<float>>& offsets) {
    if (weight.format < 0) throw std::invalid_argument("fill_codes: the weight is not of 8 or 4 bits");
    const QuantizedFormat format = QUANTIZED_FORMATS[weight.format];
    if (offsets.has_value() != format.offsets)
        throw std::invalid_argument(format.offsets ? "fill_codes: the weight has offsets, none are given"
                                                   : "fill_codes: offsets are given, the weight has none");
    const auto check = [&](const char* name, const auto& array, int64_t width) {
        if (array.shape(0) != codes.shape(0) || int64_t(array.shape(1)) != width)
            throw std::invalid_argument(std::string("fill_codes: ") + name + " must be " +
                                        std::to_string(codes.shape(0)) + " x " + std::to_string(width) + ", are " +
                                        std::to_string(array.shape(0)) + " x " + std::to_string(array.shape(1)));
    };
    check("codes", codes, weight.inputs);
    check("scales", scales, group_count(format, weight.inputs));
    if (offsets) check("offsets", *offsets, group_count(format, weight.inputs));
    const nb::gil_scoped_release release;
    weight.fill_codes(first, int64_t(codes.shape(0)), codes.data(), scales.data(),
                      offsets ? offsets->data() : nullptr);
}

void bind_storage(nb::module_& m) {
    nb::class_<Weight>(m, "Weight")
        .def("__init__",
             [](Weight* self, int64_t outputs, int64_t inputs, const std::string& precision, int group, bool offsets,
                bool gated) {
                 new (self) Weight(outputs, inputs, precision_named(precision), group, offsets, gated);
             },
             "outputs"_a, "inputs"_a, "precision"_a, "group"_a = 64, "offsets"_a = false, "gated"_a = false)
        .def("__init__",
             [](Weight* self, int64_t outputs, int64_t inputs, const std::string& precision, int group, bool offsets,
                bool gated, const Bytes& panels) {
                 new (self) Weight(outputs, inputs, precision_named(precision), group, offsets, gated,
                                   Memory::borrowed(panels.data(), panels.size()));
             },
             "outputs"_a, "inputs"_a, "precision"_a, "group"_a, "offsets"_a, "gated"_a, "panels"_a.noconvert(),
             nb::keep_alive<1, 8>())
        .def("fill", &fill<uint16_t>, "first"_a, "rows"_a.noconvert())
        .def("fill", &fill<float>, "first"_a, "rows"_a.noconvert())
        .def("fill_codes", &fill_codes, "first"_a, "codes"_a.noconvert(), "scales"_a.noconvert(),
             "offsets"_a.noconvert().none() = nb::none())
        .def_prop_ro("outputs", [](const Weight& self) { return self.outputs; })
        .def_prop_ro("inputs", [](const Weight& self) { return self.inputs; })
        .def_prop_ro("precision", [](const Weight& self) { return name_of(self.precision); })
        .def_prop_ro("group", [](const Weight& self) { return self.format < 0 ? 0 : QUANTIZED_FORMATS[self.format].group; })
        .def_prop_ro("offsets", [](const Weight& self) { return self.format >= 0 && QUANTIZED_FORMATS[self.format].offsets; })
        .def_prop_ro("gated", [](const Weight& self) { return self.gated; })
        .def_prop_ro("panels", &panels_of)
        .def_prop_ro("nbytes", [](const Weight& self) { return self.panels.bytes(); });

    m.def("checksum",
          [](const Bytes& bytes) {
              const nb::gil_scoped_release release;
              return checksum(bytes.data(), bytes.size());
          },
          "bytes"_a.noconvert());

    m.def("weight_bytes",
          [](int64_t outputs, int64_t inputs, const std::string& precision, int group, bool offsets, bool gated) {
              return weight_bytes(outputs, inputs, precision_named(precision), group, offsets, gated);
          },
          "outputs"_a, "inputs"_a, "precision"_a, "group"_a = 64, "offsets"_a = false, "gated"_a = false);

    nb::class_<Vector>(m, "Vector")
        .def("__init__",
             [](Vector* self, const Floats& values) {
                 new (self) Vector{std::vector<float>(values.data(), values.data() + values.size())};
             },
             "values"_a.noconvert())
        .def_prop_ro("nbytes", [](const Vector& self) { return self.values.size() * sizeof(float); });

    nb::class_<Buffer>(m, "Buffer")
        .def(nb::init<int64_t>(), "width"_a)
        .def("resize", &Buffer::resize, "rows"_a)
        .def_prop_ro("rows", &Buffer::rows)
        .def_prop_ro("width", [](const Buffer& self) { return self.width; })
        .def_prop_ro("nbytes", &Buffer::bytes)
        // A view; it keeps the buffer alive but shows old memory once the buffer has grown.
        .def("numpy", [](nb::handle self) {
            const Buffer& buffer = nb::cast<const Buffer&>(self);
            const size_t shape[2] = {size_t(buffer.rows()), size_t(buffer.width)};
            return nb::ndarray<nb::numpy, float, nb::ndim<2>>(buffer.data(), 2, shape, self);
        });

    nb::class_<KeyValueCache>(m, "KeyValueCache")
        .def("__init__",
             [](KeyValueCache* self, int64_t layers, int64_t blocks, int64_t block_size, int64_t kv_heads,
                int64_t head_dim, const std::string& precision) {
                 new (self)
                     KeyValueCache(layers, blocks, block_size, kv_heads, head_dim, precision_named(precision));
             },
             "layers"_a, "blocks"_a, "block_size"_a, "kv_heads"_a, "head_dim"_a, "precision"_a)
        .def_prop_ro("nbytes", &KeyValueCache::bytes);

    nb::class_<Batch>(m, "Batch")
        .def("__init__",
             [](Batch* self, const KeyValueCache& cache, const Ids& token_ids, const Ids& positions, const Ids& slots,
                const Ids& sequence_rows, const Tables& block_tables, const Ids& logit_rows) {
                 new (self) Batch(cache, copied(token_ids), copied(positions), copied(slots), copied(sequence_rows),
                                  copied(block_tables), int64_t(block_tables.shape(1)), copied(logit_rows));
             },
             "cache"_a, "token_ids"_a.noconvert(), "positions"_a.noconvert(), "slots"_a.noconvert(),
             "sequence_rows"_a.noconvert(), "block_tables"_a.noconvert(), "logit_rows"_a.noconvert())
        .def_prop_ro("tokens", &Batch::tokens);
}

void bind_operations(nb::module_& m) {
    const auto release = nb::call_guard<nb::gil_scoped_release>();
    m.def("embed", &embed, "table"_a, "batch"_a, "out"_a);
    m.def("rotary", &rotary, "batch"_a, "inverse_frequencies"_a, "factor"_a, "cosine"_a, "sine"_a);
    m.def("rms_norm", &rms_norm, "x"_a, "weight"_a, "epsilon"_a, "out"_a);
    m.def("linear", &linear, "x"_a, "weight"_a, "bias"_a.none(), "residual"_a.none(), "out"_a,
          "next"_a.none() = nb::none(), release);
    m.def("rope_and_cache", &rope_and_cache, "qkv"_a, "cosine"_a, "sine"_a, "batch"_a, "cache"_a, "layer"_a);
    m.def("attention", &attention, "qkv"_a, "batch"_a, "cache"_a, "layer"_a, "out"_a, release);
    m.def("select_logit_rows", &select_logit_rows, "x"_a, "batch"_a, "out"_a);
}

void bind_sampling(nb::module_& m) {
    nb::class_<RowSampler>(m, "RowSampler")
        .def("__init__",
             [](RowSampler* self, float inverse_temperature, int64_t top_k, float min_p, double top_p,
                float repetition_penalty, float presence_penalty, float frequency_penalty, const Ids& bias_ids,
                const Floats& biases, int num_logprobs, const Ids& prompt_token_ids) {
                 new (self) RowSampler({inverse_temperature, top_k, min_p, top_p, repetition_penalty, presence_penalty,
                                        frequency_penalty, copied(bias_ids),
                                        std::vector<float>(biases.data(), biases.data() + biases.size()), num_logprobs},
                                       copied(prompt_token_ids));
             },
             "inverse_temperature"_a, "top_k"_a, "min_p"_a, "top_p"_a, "repetition_penalty"_a, "presence_penalty"_a,
             "frequency_penalty"_a, "bias_ids"_a.noconvert(), "biases"_a.noconvert(), "num_logprobs"_a,
             "prompt_token_ids"_a.noconvert())
        .def("observe", &RowSampler::observe, "token_id"_a);

    nb::class_<SampledRow>(m, "SampledRow")
        .def_ro("token_id", &SampledRow::token_id)
        .def_ro("non_finite", &SampledRow::non_finite)
        .def_ro("all_forbidden", &SampledRow::all_forbidden)
        .def_ro("logprob", &SampledRow::logprob)
        .def_ro("top", &SampledRow::top);

    m.def("sample",
          [](const Rows<float>& logits, int64_t vocab_size, const std::vector<const RowSampler*>& samplers,
             const std::vector<double>& numbers, const std::optional<Rows<uint32_t>>& allowed) {
              if (numbers.size() != logits.shape(0))
                  throw std::invalid_argument("sample: there must be one number for each row of logits");
              if (allowed && (allowed->shape(0) != logits.shape(0) || int64_t(allowed->shape(1)) != (vocab_size + 31) / 32))
                  throw std::invalid_argument("sample: allowed must have a bit for each token of each row");
              const SampleRows rows = {logits.data(), int64_t(logits.shape(0)), int64_t(logits.shape(1)), vocab_size,
                                       numbers.data(), allowed ? allowed->data() : nullptr};
              const nb::gil_scoped_release release;
              return sample(rows, samplers);
          },
          "logits"_a.noconvert(), "vocab_size"_a, "samplers"_a, "numbers"_a, "allowed"_a.noconvert() = nb::none());
}

}  // namespace

NB_MODULE(_kernels, m) {
    bind_storage(m);
    bind_operations(m);
    bind_sampling(m);
    m.def("instruction_set", &instruction_set);
    m.def("use_instruction_set", &use_instruction_set, "name"_a);
    m.def("available_instruction_sets", &available_instruction_sets);
    m.def("peak_operations",
          [](const std::string& precision) { return peak_operations(precision_named(precision)); }, "precision"_a,
          nb::call_guard<nb::gil_scoped_release>());
    m.def("threads", [] { return ThreadPool::shared().threads(); });
    m.def("set_threads", [](int threads) { ThreadPool::shared().set_threads(threads); }, "threads"_a,
          nb::call_guard<nb::gil_scoped_release>());
}
