/* SPDX-License-Identifier: BSD-3-Clause */
/* What roles may do (roles.h), as a file for sudo(8). One thread. */
#pragma once
#include "base/buf.h"
#include "conf/conf.h"

/* For the groups of roles.*; those of the sample where the settings name none. */
void sek_sudoers_print(const struct sek_conf *conf, struct sek_buf *out);
