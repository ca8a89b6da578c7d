// How fast this processor multiplies when nothing has to be fetched: what the other kernels are measured against.
#pragma once

#include "arguments.h"
#include "integer_vector.h"

namespace wending {
namespace WENDING_ISA {

static void integer_peak(const PeakArguments& a, int64_t begin, int64_t end) {
    uint8_t bytes[4 * LANES];
    for (int i = 0; i < 4 * LANES; ++i) bytes[i] = uint8_t(a.seed + i);
    int8_t x[4 * PEAK_CHAINS];  // other factors for each chain, or the compiler would compute one for all
    for (int i = 0; i < 4 * PEAK_CHAINS; ++i) x[i] = int8_t(a.seed + i);
    const Codes codes = load_codes(bytes);
    for (int64_t task = begin; task < end; ++task) {
        Integers sums[PEAK_CHAINS];
        for (Integers& sum : sums) sum = all_lanes(0);
        for (int64_t i = 0; i < a.steps; ++i)
            for (int chain = 0; chain < PEAK_CHAINS; ++chain)
                sums[chain] = dot<8>(sums[chain], codes, x + 4 * chain);
        Vector total = zero();
        for (const Integers& sum : sums) total = total + to_float(sum);
        a.out[task] = sum_of_lanes(total);
    }
}

static void float_peak(const PeakArguments& a, int64_t begin, int64_t end) {
    const Vector factor = broadcast(0.5f + float(a.seed)), summand = broadcast(float(a.seed));
    for (int64_t task = begin; task < end; ++task) {
        Vector sums[PEAK_CHAINS];
        for (int chain = 0; chain < PEAK_CHAINS; ++chain) sums[chain] = broadcast(float(a.seed + chain));
        for (int64_t i = 0; i < a.steps; ++i)
            for (Vector& sum : sums) sum = fmadd(sum, factor, summand);
        Vector total = zero();
        for (const Vector& sum : sums) total = total + sum;
        a.out[task] = sum_of_lanes(total);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
