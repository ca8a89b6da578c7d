// The kernels in use, chosen at run time.
#pragma once

#include "kernel_table.h"

namespace wending {

const KernelTable& kernels();

}  // namespace wending
