/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/compile.h"
