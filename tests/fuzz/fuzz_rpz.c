/* SPDX-License-Identifier: BSD-3-Clause */
/* A zone file, line by line without the reader around it: no crash, no leak in what ldns hands
 * over, and only names that are valid. */
#include "policy/rpz.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static enum sek_err take_rule(void *arg, const struct sek_read_rule *rule)
{
    struct sek_name name;
    (void)arg;
    require(sek_name_from_wire(rule->name.octets, rule->name.len, &name) == SEK_OK);
    require(sek_name_compare(&name, &rule->name) == 0);
    require(rule->scope == SEK_SCOPE_EXACT || rule->scope == SEK_SCOPE_BELOW);
    require(rule->action != SEK_ACTION_DEFAULT);
    return SEK_OK;
}

/* There is no other file. */
static enum sek_err include(struct sek_feed *feed, const char *name)
{
    (void)feed;
    require(*name != '\0');
    return SEK_E_NOTFOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sek_reader_hooks hooks = {
        .arg = NULL, .rule = take_rule, .bad = NULL, .progress = NULL};
    struct sek_read_stats stats = {0};
    struct sek_feed feed = {.hooks = &hooks, .stats = &stats, .include = include};
    require(sek_rpz_new(&feed.rpz, NULL) == SEK_OK);
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);
        feed.rule.line++;
        sek_rpz_sign(at, len);
        sek_rpz_claims(at, len);
        if (memchr(at, '\0', len) || len > SEK_LINE_MAX)
            sek_rpz_gap(feed.rpz); /* the reader keeps these away */
        else
            sek_rpz_line(&feed, at, len);
        feed.stop = SEK_OK; /* the reader would end here */
        at += len + 1;
    }
    sek_rpz_end(&feed);
    sek_rpz_free(feed.rpz);
    return 0;
}
