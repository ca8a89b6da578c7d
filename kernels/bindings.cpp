// The Python module wending._kernels. Classes are handles: the maths never sees a Python object. The interpreter lock is
// released where an operation is long enough for another thread to make use of it.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "operations.h"
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

void bind_storage(nb::module_& m) {
    nb::class_<Weight>(m, "Weight")
        .def("__init__",
             [](Weight* self, int64_t outputs, int64_t inputs, const std::string& precision, int group, bool offsets) {
                 new (self) Weight(outputs, inputs, precision_named(precision), group, offsets);
             },
             "outputs"_a, "inputs"_a, "precision"_a, "group"_a = 64, "offsets"_a = false)
        .def("fill", &fill<uint16_t>, "first"_a, "rows"_a.noconvert())
        .def("fill", &fill<float>, "first"_a, "rows"_a.noconvert())
        .def_prop_ro("outputs", [](const Weight& self) { return self.outputs; })
        .def_prop_ro("inputs", [](const Weight& self) { return self.inputs; })
        .def_prop_ro("nbytes", [](const Weight& self) { return self.panels.bytes(); });

    m.def("weight_bytes",
          [](int64_t outputs, int64_t inputs, const std::string& precision, int group, bool offsets) {
              return weight_bytes(outputs, inputs, precision_named(precision), group, offsets);
          },
          "outputs"_a, "inputs"_a, "precision"_a, "group"_a = 64, "offsets"_a = false);

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
             "layers"_a, "blocks"_a, "block_size"_a, "kv_heads"_a, "head_dim"_a, "precision"_a);

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
    m.def("linear", &linear, "x"_a, "weight"_a, "bias"_a.none(), "residual"_a.none(), "out"_a, release);
    m.def("rope_and_cache", &rope_and_cache, "qkv"_a, "cosine"_a, "sine"_a, "batch"_a, "cache"_a, "layer"_a);
    m.def("attention", &attention, "qkv"_a, "batch"_a, "cache"_a, "layer"_a, "out"_a, release);
    m.def("swiglu", &swiglu, "gate_up"_a, "out"_a);
    m.def("select_logit_rows", &select_logit_rows, "x"_a, "batch"_a, "out"_a);
}

}  // namespace

NB_MODULE(_kernels, m) {
    bind_storage(m);
    bind_operations(m);
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
