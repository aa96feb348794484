/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/never.h"
