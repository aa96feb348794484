/* SPDX-License-Identifier: BSD-3-Clause */
/* The YAML file: two levels, "group:" and "key: value" below it. Of YAML only what such a file
 * needs: anchors, aliases, tags and further documents are refused, so that what is read is what one
 * sees. The only user of libyaml. Private to conf/. One thread at a time. */
#pragma once
#include "conf/conf.h"

/* Store what the file sets into *conf. Errors begin with "label:line: ". */
enum sek_err sek__conffile_read(const char *text, size_t len, const char *label,
                                struct sek_conf *conf, struct sek_diag *diag);
