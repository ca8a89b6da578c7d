// What sampling does with each block of at most SAMPLE_BLOCK values; sampling.cpp puts it together. Sums go lane by lane,
// so each is one fixed sequence of additions.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// 16 values from p, of which only the first `count` exist; the others become `rest`.
WENDING_INLINE Vector load_some(const float* p, int64_t count, float rest) {
    if (count >= LANES) return load(p);
    float lane[LANES];
    for (int i = 0; i < LANES; ++i) lane[i] = i < count ? p[i] : rest;
    return load(lane);
}

// The largest of x. False if any is infinite or NaN; the maximum then means nothing.
static bool maximum(const float* x, int64_t count, float* largest) {
    Vector top = broadcast(x[0]), bad = zero();  // `bad` stays 0 as long as all values are finite
    for (int64_t i = 0; i < count; i += LANES) {
        const Vector v = load_some(x + i, count - i, x[0]);
        top = greater(top, v);
        bad = fmadd(v, zero(), bad);
    }
    *largest = greatest_lane(top);
    return sum_of_lanes(bad) == 0.0f;
}

// weights = exp((x - largest) * inverse_temperature), 0 where that is below `smallest`, filled up with zeros to whole
// vectors. Returns their sum.
static double weigh(const float* x, int64_t count, float largest, float inverse_temperature, float smallest,
                    float* weights) {
    const Vector top = broadcast(largest), factor = broadcast(inverse_temperature), border = broadcast(smallest);
    Vector sum = zero();
    for (int64_t i = 0; i < count; i += LANES) {
        const Vector v = exponential((load_some(x + i, count - i, -__builtin_inff()) - top) * factor);
        const Vector kept = zero_where_less(v, border, v);
        store(weights + i, kept);
        sum = sum + kept;
    }
    return double(sum_of_lanes(sum));
}

// The sum of the weights from `border` (above 0) on.
static double sum_from(const float* weights, int64_t count, float border) {
    const Vector least = broadcast(border);
    Vector sum = zero();
    for (int64_t i = 0; i < count; i += LANES) {
        const Vector v = load_some(weights + i, count - i, 0.0f);
        sum = sum + zero_where_less(v, least, v);
    }
    return double(sum_of_lanes(sum));
}

// Copies the weights from `low` (above 0) to `high`, both included, in order and filled up with zeros to a whole vector;
// adds up those, and those from `beyond` on, which is the next number above `high`. `weights` is filled up with zeros as
// well, and `out` has room for all of them and a vector more.
static int64_t collect(const float* weights, int64_t count, float low, float high, float beyond, float* out,
                       double* within, double* above) {
    const Vector least = broadcast(low), most = broadcast(high), next = broadcast(beyond);
    Vector from_least = zero(), from_next = zero();
    int64_t found = 0;
    for (int64_t i = 0; i < count; i += LANES) {
        const Vector v = load(weights + i), large = zero_where_less(v, next, v);
        from_next = from_next + large;
        from_least = from_least + (zero_where_less(v, least, v) - large);
        found += append_between(v, least, most, out + found);
    }
    store(out + found, zero());
    *within += double(sum_of_lanes(from_least));
    *above += double(sum_of_lanes(from_next));
    return found;
}

}  // namespace WENDING_ISA
}  // namespace wending
