/* SPDX-License-Identifier: BSD-3-Clause */
#include "exposition.h"
#include "tools/print/safe.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

/* Backslash and line feed are escaped, within a label the quote as well; sek_safe_add leaves no
 * line feed, and no octets that are no UTF-8. */
void sek_family(struct sek_buf *b, const char *name, bool counter, const char *help)
{
    sek_buf_add_fmt(b, "# HELP %s ", name);
    sek_safe_add_escaped(b, help, "\\");
    sek_buf_add_fmt(b, "\n# TYPE %s %s\n", name, counter ? "counter" : "gauge");
}

static void add_name(struct sek_buf *b, const char *name, const char *const *labels)
{
    sek_buf_add_text(b, name);
    for (const char *const *l = labels; l && *l; l += 2) {
        sek_buf_add_fmt(b, "%s%s=\"", l == labels ? "{" : ",", l[0]);
        sek_safe_add_escaped(b, l[1], "\\\"");
        sek_buf_add_text(b, l[2] ? "\"" : "\"}");
    }
}

void sek_sample_uint(struct sek_buf *b, const char *name, const char *const *labels, uint64_t n)
{
    add_name(b, name, labels);
    sek_buf_add_fmt(b, " %" PRIu64 "\n", n);
}

void sek_sample_ms(struct sek_buf *b, const char *name, const char *const *labels, int64_t ms)
{
    add_name(b, name, labels);
    sek_buf_add_fmt(b, " %" PRId64 ".%03" PRId64 "\n", ms / 1000, ms < 0 ? 0 : ms % 1000);
}
