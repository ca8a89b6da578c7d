// Loops that are certain to be written out, so that what they go through stays in registers.
#pragma once

#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// A number that a generic lambda can take as a template argument.
template <int I>
struct Index {
    static constexpr int value = I;
};

// Calls body with Index<0>, Index<1>, ... Index<N - 1>.
template <int N, int I = 0, class Body>
WENDING_INLINE void each(const Body& body) {
    if constexpr (I < N) {
        body(Index<I>{});
        each<N, I + 1>(body);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
