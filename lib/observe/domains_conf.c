/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_conf.h"
#include "base/banned.h"

#define ABSENT_MAX                                                                                 \
    1000000 /* names that never resolved; their share of a small store is a tenth                  \
             */

struct sek_domains_conf sek_domains_conf_from(const struct sek_conf *conf,
                                              const struct sek_suffix *suffix,
                                              char path[SEK_CONF_PATH_MAX])
{
    uint64_t octets = conf->domains.memory_octets, absent = octets / 400;

    return (struct sek_domains_conf){
        .path = sek_conf_domains_file(conf, path),
        .max_octets = octets / 4 * 3, /* the index takes the rest */
        .max_absent = (uint32_t)(absent < ABSENT_MAX ? absent : ABSENT_MAX),
        .retention_s = conf->domains.retention_s,
        .psl_version = suffix ? sek_suffix_version(suffix) : NULL,
    };
}
