// Embedding: picks the row of each token out of the panels of the embedding matrix, which may serve as output head too.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

WENDING_INLINE void copy_output(const uint16_t* panel, int64_t lane, int64_t size, float* out) {
    for (int64_t k = 0; k < size; ++k) {
        const uint32_t bits = uint32_t(panel[(k / 2 * PANEL_OUTPUTS + lane) * 2 + k % 2]) << 16;
        memcpy(out + k, &bits, sizeof bits);
    }
}

WENDING_INLINE void copy_output(const float* panel, int64_t lane, int64_t size, float* out) {
    for (int64_t k = 0; k < size; ++k) out[k] = panel[k * PANEL_OUTPUTS + lane];
}

template <class Weight>
static void embed(const EmbedArguments& a, int64_t begin, int64_t end) {
    const Weight* panels = static_cast<const Weight*>(a.panels);
    const int64_t panel_size = (a.size + a.size % 2) * PANEL_OUTPUTS;
    for (int64_t token = begin; token < end; ++token) {
        const int64_t id = a.token_ids[token];
        copy_output(panels + id / PANEL_OUTPUTS * panel_size, id % PANEL_OUTPUTS, a.size, a.out + token * a.size);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
