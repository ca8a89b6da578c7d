// Sixteen float32 lanes, the unit in which every kernel computes, on the instruction set this file is compiled for.
//
// The three forms do the same arithmetic in the same order. They differ in one point only: where the processor has no
// fused multiply-add, fmadd rounds twice. Compiled once per instruction set, inside a namespace of its own, and without
// any inline function of the standard library, so that the linker can never pick one copy for all.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace wending {
namespace WENDING_ISA {

#define WENDING_INLINE static inline __attribute__((always_inline))

// Before a loop of a known small number of turns: it is written out, so that the arrays it goes through stay in registers.
// (Lambdas would do the same but for one thing: GCC stores to memory what they capture.)
#if defined(__clang__)
#define WENDING_UNROLL _Pragma("unroll")
#else
#define WENDING_UNROLL _Pragma("GCC unroll 16")
#endif

constexpr int LANES = 16;

#if defined(__AVX512F__)

struct Vector {
    __m512 value;
};
// How much fits the registers at once: a tile of rows times half panels (16 outputs each), the half panels when there is
// one row only.
constexpr int TILE_ROWS = 12, TILE_HALVES = 2, ONE_ROW_HALVES = 4;

WENDING_INLINE Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
WENDING_INLINE Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
WENDING_INLINE void store(float* p, Vector a) { _mm512_storeu_ps(p, a.value); }
WENDING_INLINE Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.value, b.value)}; }
WENDING_INLINE Vector operator-(Vector a, Vector b) { return {_mm512_sub_ps(a.value, b.value)}; }
WENDING_INLINE Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.value, b.value)}; }
WENDING_INLINE Vector operator/(Vector a, Vector b) { return {_mm512_div_ps(a.value, b.value)}; }
WENDING_INLINE Vector fmadd(Vector a, Vector b, Vector c) {
    return {_mm512_fmadd_ps(a.value, b.value, c.value)};
}
// The greater lane by lane; b where either is NaN.
WENDING_INLINE Vector greater(Vector a, Vector b) { return {_mm512_max_ps(a.value, b.value)}; }
WENDING_INLINE Vector lesser(Vector a, Vector b) { return {_mm512_min_ps(a.value, b.value)}; }
WENDING_INLINE Vector magnitude(Vector a) { return {_mm512_abs_ps(a.value)}; }
// Lanes where a < b become zero.
WENDING_INLINE Vector zero_where_less(Vector a, Vector b, Vector x) {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.value, b.value, _CMP_NLT_UQ), x.value)};
}
// Stores the lanes from low to high side by side and returns how many; up to 16 values at p are overwritten.
WENDING_INLINE int append_between(Vector a, Vector low, Vector high, float* p) {
    const __mmask16 inside = _mm512_cmp_ps_mask(a.value, low.value, _CMP_GE_OQ) &
                             _mm512_cmp_ps_mask(a.value, high.value, _CMP_LE_OQ);
    _mm512_storeu_ps(p, _mm512_maskz_compress_ps(inside, a.value));
    return __builtin_popcount(inside);
}
// 2 to the power of each lane, for whole numbers from -126 to 127.
WENDING_INLINE Vector power_of_two(Vector n) {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.value), _mm512_set1_epi32(127));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
}
WENDING_INLINE Vector load(const uint16_t* p) {  // 16 BF16 values
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
}
WENDING_INLINE Vector load(const int8_t* p) {  // 16 signed bytes
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
// 16 pairs of BF16 values: the first of each pair, and the second.
WENDING_INLINE void load_pairs(const uint16_t* p, Vector& first, Vector& second) {
    const __m512i both = _mm512_loadu_si512(p);
    first.value = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
    second.value = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(int(0xFFFF0000u))));
}
// The first of each pair, or the second.
WENDING_INLINE Vector load_of_pairs(const uint16_t* p, int64_t second) {
    const __m512i moved = _mm512_sll_epi32(_mm512_loadu_si512(p), _mm_cvtsi64_si128(16 - 16 * second));
    return {_mm512_castsi512_ps(_mm512_and_si512(moved, _mm512_set1_epi32(int(0xFFFF0000u))))};
}

#elif defined(__AVX2__)

struct Vector {
    __m256 low, high;
};
constexpr int TILE_ROWS = 5, TILE_HALVES = 1, ONE_ROW_HALVES = 2;

WENDING_INLINE Vector broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
WENDING_INLINE Vector load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
WENDING_INLINE void store(float* p, Vector a) {
    _mm256_storeu_ps(p, a.low);
    _mm256_storeu_ps(p + 8, a.high);
}
WENDING_INLINE Vector operator+(Vector a, Vector b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
WENDING_INLINE Vector operator-(Vector a, Vector b) {
    return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
WENDING_INLINE Vector operator*(Vector a, Vector b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
WENDING_INLINE Vector operator/(Vector a, Vector b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
WENDING_INLINE Vector fmadd(Vector a, Vector b, Vector c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
WENDING_INLINE Vector greater(Vector a, Vector b) {
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
WENDING_INLINE Vector lesser(Vector a, Vector b) {
    return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
WENDING_INLINE Vector magnitude(Vector a) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
}
WENDING_INLINE Vector zero_where_less(Vector a, Vector b, Vector x) {
    return {_mm256_and_ps(_mm256_cmp_ps(a.low, b.low, _CMP_NLT_UQ), x.low),
            _mm256_and_ps(_mm256_cmp_ps(a.high, b.high, _CMP_NLT_UQ), x.high)};
}
WENDING_INLINE __m256 power_of_two(__m256 n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
WENDING_INLINE Vector power_of_two(Vector n) { return {power_of_two(n.low), power_of_two(n.high)}; }
WENDING_INLINE __m256 load_eight(const uint16_t* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
WENDING_INLINE Vector load(const uint16_t* p) { return {load_eight(p), load_eight(p + 8)}; }
WENDING_INLINE __m256 load_eight(const int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
WENDING_INLINE Vector load(const int8_t* p) { return {load_eight(p), load_eight(p + 8)}; }
WENDING_INLINE void load_pairs(const uint16_t* p, Vector& first, Vector& second) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 16));
    const __m256i mask = _mm256_set1_epi32(int(0xFFFF0000u));
    first = {_mm256_castsi256_ps(_mm256_slli_epi32(low, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(high, 16))};
    second = {_mm256_castsi256_ps(_mm256_and_si256(low, mask)), _mm256_castsi256_ps(_mm256_and_si256(high, mask))};
}
WENDING_INLINE __m256 load_eight_of_pairs(const uint16_t* p, int64_t second) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i moved = _mm256_sll_epi32(both, _mm_cvtsi64_si128(16 - 16 * second));
    return _mm256_castsi256_ps(_mm256_and_si256(moved, _mm256_set1_epi32(int(0xFFFF0000u))));
}
WENDING_INLINE Vector load_of_pairs(const uint16_t* p, int64_t second) {
    return {load_eight_of_pairs(p, second), load_eight_of_pairs(p + 16, second)};
}

#else

// GCC's and Clang's vector extension: four registers of four lanes, which SSE2 and NEON both have.
typedef float Float4 __attribute__((vector_size(16)));
typedef int32_t Int4 __attribute__((vector_size(16)));
typedef uint32_t Unsigned4 __attribute__((vector_size(16)));

struct Vector {
    Float4 part[4];
};
constexpr int TILE_ROWS = 1, TILE_HALVES = 1, ONE_ROW_HALVES = 1;

template <class Operation>
WENDING_INLINE Vector each_part(Operation operation) {
    return {{operation(0), operation(1), operation(2), operation(3)}};
}
WENDING_INLINE Vector broadcast(float x) { return each_part([=](int) { return Float4{x, x, x, x}; }); }
WENDING_INLINE Vector load(const float* p) {
    Vector a;
    memcpy(&a, p, sizeof a);
    return a;
}
WENDING_INLINE void store(float* p, Vector a) { memcpy(p, &a, sizeof a); }
WENDING_INLINE Vector operator+(Vector a, Vector b) {
    return each_part([&](int i) { return a.part[i] + b.part[i]; });
}
WENDING_INLINE Vector operator-(Vector a, Vector b) {
    return each_part([&](int i) { return a.part[i] - b.part[i]; });
}
WENDING_INLINE Vector operator*(Vector a, Vector b) {
    return each_part([&](int i) { return a.part[i] * b.part[i]; });
}
WENDING_INLINE Vector operator/(Vector a, Vector b) {
    return each_part([&](int i) { return a.part[i] / b.part[i]; });
}
WENDING_INLINE Vector fmadd(Vector a, Vector b, Vector c) {
#ifdef __FP_FAST_FMAF
    return each_part([&](int i) {
        Float4 sum;
        for (int lane = 0; lane < 4; ++lane)
            sum[lane] = __builtin_fmaf(a.part[i][lane], b.part[i][lane], c.part[i][lane]);
        return sum;
    });
#else
    return a * b + c;
#endif
}
WENDING_INLINE Float4 select(Int4 condition, Float4 a, Float4 b) {
    return reinterpret_cast<Float4>((reinterpret_cast<Int4>(a) & condition) |
                                    (reinterpret_cast<Int4>(b) & ~condition));
}
WENDING_INLINE Vector greater(Vector a, Vector b) {
    return each_part([&](int i) { return select(a.part[i] > b.part[i], a.part[i], b.part[i]); });
}
WENDING_INLINE Vector lesser(Vector a, Vector b) {
    return each_part([&](int i) { return select(a.part[i] < b.part[i], a.part[i], b.part[i]); });
}
WENDING_INLINE Vector magnitude(Vector a) {
    return each_part([&](int i) {
        return reinterpret_cast<Float4>(reinterpret_cast<Unsigned4>(a.part[i]) & 0x7FFFFFFFu);
    });
}
WENDING_INLINE Vector zero_where_less(Vector a, Vector b, Vector x) {
    return each_part([&](int i) { return select(a.part[i] < b.part[i], Float4{}, x.part[i]); });
}
WENDING_INLINE Vector power_of_two(Vector n) {
    return each_part([&](int i) {
        return reinterpret_cast<Float4>((__builtin_convertvector(n.part[i], Int4) + 127) << 23);
    });
}
WENDING_INLINE Vector load(const uint16_t* p) {
    return each_part([=](int i) {
        const uint16_t* q = p + 4 * i;
        return reinterpret_cast<Float4>(Unsigned4{q[0], q[1], q[2], q[3]} << 16);
    });
}
WENDING_INLINE Vector load(const int8_t* p) {
    return each_part([=](int i) {
        const int8_t* q = p + 4 * i;
        return Float4{float(q[0]), float(q[1]), float(q[2]), float(q[3])};
    });
}
WENDING_INLINE void load_pairs(const uint16_t* p, Vector& first, Vector& second) {
    for (int i = 0; i < 4; ++i) {
        Unsigned4 both;  // the machines meant here are little-endian: the first of a pair is the low half
        memcpy(&both, p + 8 * i, sizeof both);
        first.part[i] = reinterpret_cast<Float4>(both << 16);
        second.part[i] = reinterpret_cast<Float4>(both & 0xFFFF0000u);
    }
}
WENDING_INLINE Vector load_of_pairs(const uint16_t* p, int64_t second) {
    Vector first_ones, second_ones;
    load_pairs(p, first_ones, second_ones);
    return second ? second_ones : first_ones;
}

#endif

WENDING_INLINE Vector zero() { return broadcast(0.0f); }

#if !defined(__AVX512F__)
// Stores the lanes from low to high side by side and returns how many; up to 16 values at p are overwritten.
WENDING_INLINE int append_between(Vector a, Vector low, Vector high, float* p) {
    float lane[LANES], least[LANES], most[LANES];
    store(lane, a);
    store(least, low);
    store(most, high);
    int found = 0;
    for (int i = 0; i < LANES; ++i) {  // without a branch: which lanes are taken cannot be foreseen
        p[found] = lane[i];
        found += int(lane[i] >= least[i]) & int(lane[i] <= most[i]);
    }
    return found;
}
#endif

// Sum and maximum of the lanes, halving each time: 8 + 8, 4 + 4, 2 + 2, 1 + 1.
#if defined(__AVX512F__) || defined(__AVX2__)

#if defined(__AVX512F__)
WENDING_INLINE __m256 low_half(Vector a) { return _mm512_castps512_ps256(a.value); }
WENDING_INLINE __m256 high_half(Vector a) { return _mm512_extractf32x8_ps(a.value, 1); }
#else
WENDING_INLINE __m256 low_half(Vector a) { return a.low; }
WENDING_INLINE __m256 high_half(Vector a) { return a.high; }
#endif

WENDING_INLINE float sum_of_lanes(Vector a) {
    const __m256 eight = _mm256_add_ps(low_half(a), high_half(a));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
WENDING_INLINE float greatest_lane(Vector a) {
    const __m256 eight = _mm256_max_ps(low_half(a), high_half(a));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#else

WENDING_INLINE float sum_of_lanes(Vector a) {
    float lane[LANES];
    store(lane, a);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
    return lane[0];
}
WENDING_INLINE float greatest_lane(Vector a) {
    float lane[LANES];
    store(lane, a);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
    return lane[0];
}

#endif

// e to the power of each lane: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial of degree 6 in r, times 2^n.
// Relative error below 2e-7; below -87 the result is 0, above 88 it stays at e^88; NaN stays NaN.
WENDING_INLINE Vector exponential(Vector x) {
    const Vector lowest = broadcast(-87.0f);
    const Vector bounded = lesser(broadcast(88.0f), greater(lowest, x));
    const Vector rounder = broadcast(12582912.0f);  // 1.5 * 2^23: adding and subtracting it rounds to a whole number
    const Vector n = fmadd(bounded, broadcast(1.44269504f), rounder) - rounder;
    Vector r = fmadd(n, broadcast(-0.693359375f), bounded);  // ln 2 in two parts, the first exact in few bits
    r = fmadd(n, broadcast(2.12194440e-4f), r);
    Vector p = broadcast(1.0f / 720);
    p = fmadd(p, r, broadcast(1.0f / 120));
    p = fmadd(p, r, broadcast(1.0f / 24));
    p = fmadd(p, r, broadcast(1.0f / 6));
    p = fmadd(p, r, broadcast(0.5f));
    p = fmadd(p, r, broadcast(1.0f));
    p = fmadd(p, r, broadcast(1.0f));
    return zero_where_less(x, lowest, p * power_of_two(n));
}

// Float32 to BF16, to nearest even; NaN stays NaN.
WENDING_INLINE uint16_t to_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return uint16_t((bits >> 16) | 0x40u);
    return uint16_t((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace WENDING_ISA
}  // namespace wending
