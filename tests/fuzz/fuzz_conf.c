/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets as the configuration file: refused with one safe line, or printed and read again as the
 * same. */
#include "base/utf8.h"
#include "conf/conf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_conf conf, back;
    struct sek_buf first, second;
    struct sek_diag diag = {0};

    if (sek_conf_parse((const char *)data, size, "file", &conf, &diag) != SEK_OK) {
        require(strncmp(diag.text, "file:", 5) == 0 && !strchr(diag.text, '\n'));
        require(sek_utf8_is_valid(diag.text, strlen(diag.text)));
        sek_conf_fini(&conf);
        return 0;
    }
    sek_buf_init(&first, 0);
    sek_buf_init(&second, 0);
    sek_conf_print(&conf, false, &first);
    require(!first.failed);
    require(sek_conf_parse(first.data, first.len, "printed", &back, &diag) == SEK_OK);
    sek_conf_print(&back, false, &second);
    require(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    sek_buf_fini(&first);
    sek_buf_fini(&second);
    sek_conf_fini(&conf);
    sek_conf_fini(&back);
    return 0;
}
