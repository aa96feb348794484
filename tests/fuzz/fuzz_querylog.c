/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of query logs, line by line: no crash, and what a line tells is a name and a time that can
 * be written as a sighting and read again as the same. */
#include "observe/querylog.h"
#include <stdlib.h>
#include <string.h>

#define NOW 1795784400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct sek_sighting *s)
{
    struct sek_sighting back;
    struct sek_buf text;

    require(s->endpoints >= s->n_addrs && s->n_addrs <= SEK_SIGHTING_ADDRS);
    if (s->first_s < 0 || s->last_s > 253402300799)
        return;
    sek_buf_init(&text, 0);
    sek_sighting_add_text(s, &text);
    require(!text.failed && text.len < SEK_SIGHTING_LINE_MAX);
    text.data[text.len - 1] = '\0'; /* the newline */
    require(sek_sighting_from_text(text.data, &back, NULL) == SEK_OK);
    require(back.first_s == s->first_s && back.last_s == s->last_s);
    require(back.resolved == s->resolved && back.endpoints == s->endpoints);
    require(sek_name_compare(&back.domain, &s->domain) == 0);
    sek_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_querylog log;
    char *text = malloc(size + 1);

    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    sek_querylog_init(&log, NOW);
    for (char *line = text; line < text + size;) {
        struct sek_query_seen seen;
        struct sek_diag diag = {0};
        size_t len = strcspn(line, "\n");
        line[len] = '\0';
        char *copy = strdup(line); /* its end is the end of memory */
        require(copy != NULL);
        int told = sek_querylog_line(&log, copy, &seen, &diag);
        require(told >= 0 || diag.text[0]);
        if (told > 0)
            check(&seen.seen);
        free(copy);
        line += len + 1;
    }
    free(text);
    return 0;
}
