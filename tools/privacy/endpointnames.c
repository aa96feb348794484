/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpointnames.h"
#include "base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

#define HEAD 3 /* octets by which rows are found: no text is shorter */

struct row {
    size_t text; /* offset; once sorted they stay where they are */
    const char *at;
    struct sek_addr endpoint;
    bool plain; /* letters only */
};

void sek_endpoint_names_init(struct sek_endpoint_names *n)
{
    sek_buf_init(&n->rows, 0);
    sek_buf_init(&n->texts, 0);
}

void sek_endpoint_names_fini(struct sek_endpoint_names *n)
{
    sek_buf_fini(&n->rows);
    sek_buf_fini(&n->texts);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of words: octets beyond ASCII are letters of other scripts. */
static bool is_inner(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
           (unsigned char)c >= 0x80;
}

static void add(struct sek_endpoint_names *n, const char *text, size_t len,
                const struct sek_addr *endpoint)
{
    struct row row = {.text = n->texts.len, .endpoint = *endpoint, .plain = true};
    for (size_t i = 0; i < len; i++)
        row.plain = row.plain && is_letter(text[i]);
    if (len < HEAD)
        return;
    sek_buf_add(&n->texts, text, len);
    sek_buf_add(&n->texts, "", 1);
    sek_buf_add(&n->rows, &row, sizeof row);
}

/* As the audit trail quotes it. */
static void add_quoted(struct sek_endpoint_names *n, const char *text,
                       const struct sek_addr *endpoint)
{
    struct sek_buf quoted;
    sek_buf_init(&quoted, 0);
    sek_json_add_text(&quoted, text);
    n->texts.failed |= quoted.failed;
    if (quoted.data && !quoted.failed)
        add(n, quoted.data, quoted.len, endpoint);
    sek_buf_fini(&quoted);
}

static void add_owner(struct sek_endpoint_names *n, const char *owner,
                      const struct sek_addr *endpoint)
{
    char text[SEK_LEASE_TEXT_MAX + 4];
    if (strlen(owner) < HEAD)
        return;
    snprintf(text, sizeof text, "(%s)", owner);
    add(n, text, strlen(text), endpoint);
    add_quoted(n, owner, endpoint);
    if (strchr(owner, ' '))
        add(n, owner, strlen(owner), endpoint);
}

void sek_endpoint_names_add(struct sek_endpoint_names *n, const struct sek_machine *machine,
                            const struct sek_addr *endpoint)
{
    add(n, machine->name, strlen(machine->name), endpoint);
    size_t host = strcspn(machine->name, "."); /* commands take that, too */
    if (machine->name[host])
        add(n, machine->name, host, endpoint);
    if (strpbrk(machine->name, "\"\\"))
        add_quoted(n, machine->name, endpoint);
    add(n, machine->mac, strlen(machine->mac), endpoint);
    add_owner(n, machine->owner, endpoint);
}

static int by_text(const void *a, const void *b)
{
    return strcasecmp(((const struct row *)a)->at, ((const struct row *)b)->at);
}

bool sek_endpoint_names_end(struct sek_endpoint_names *n)
{
    struct row *rows = (void *)n->rows.data;
    size_t n_rows = n->rows.len / sizeof *rows;
    if (n->rows.failed || n->texts.failed)
        return false;
    for (size_t i = 0; i < n_rows; i++)
        rows[i].at = n->texts.data + rows[i].text;
    if (n_rows)
        qsort(rows, n_rows, sizeof *rows, by_text);
    return true;
}

/* The first row whose head is not before that of the text. */
static size_t lower_bound(const struct row *rows, size_t n_rows, const char *text)
{
    size_t low = 0, high = n_rows;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strncasecmp(rows[mid].at, text, HEAD) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* A full stop may end a sentence. */
static bool ends_word(const char *p)
{
    return !is_inner(*p) || (*p == '.' && !is_inner(p[1]));
}

size_t sek_endpoint_names_at(const struct sek_endpoint_names *n, const char *text, size_t at,
                             bool sure, struct sek_addr *out)
{
    const struct row *rows = (const void *)n->rows.data;
    size_t n_rows = n->rows.len / sizeof *rows, best = 0;
    const char *p = text + at;
    if (n_rows == 0 || (at && is_inner(p[-1]) && is_inner(*p)))
        return 0;
    for (size_t i = lower_bound(rows, n_rows, p);
         i < n_rows && strncasecmp(rows[i].at, p, HEAD) == 0; i++) {
        size_t len = strlen(rows[i].at);
        if (len <= best || strncasecmp(rows[i].at, p, len) != 0 ||
            (is_inner(p[len - 1]) && !ends_word(p + len)) ||
            (!sure && rows[i].plain && at == 0 && !p[len]))
            continue;
        best = len;
        *out = rows[i].endpoint;
    }
    return best;
}
