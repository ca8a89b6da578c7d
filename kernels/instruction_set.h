// The kernels in use, chosen at run time.
#pragma once

#include "arguments.h"

namespace wending {

const KernelTable& kernels();

}  // namespace wending
