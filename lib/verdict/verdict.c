/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/verdict.h"
