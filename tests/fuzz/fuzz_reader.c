/* SPDX-License-Identifier: BSD-3-Clause */
/* A list from outside, its format guessed and then claimed to be one by its length: no crash, rules
 * that can be printed and read again with their terms, reasons that can be printed, counts that add
 * up. */
#include "base/utf8.h"
#include "name/text.h"
#include "policy/reader.h"
#include "policy/terms_text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct counts {
    uint64_t n_rules, n_bad, line;
};

static enum sek_err take_rule(void *arg, const struct sek_read_rule *rule)
{
    struct counts *c = arg;
    char text[SEK_NAME_TEXT_MAX + 2];
    enum sek_scope scope;
    struct sek_name name, back;
    c->n_rules++;
    require(rule->line > 0);
    require(sek_name_from_wire(rule->name.octets, rule->name.len, &name) == SEK_OK);
    require(sek_name_compare(&name, &rule->name) == 0);
    size_t n = sek_rule_to_text(rule->scope, name.octets, text);
    require(n == strlen(text) && n < sizeof(text));
    /* what looks like an A-label and is none can be written with escapes only */
    if (sek_rule_from_text(text, n, &scope, &back, NULL) == SEK_OK)
        require(scope == rule->scope && sek_name_compare(&name, &back) == 0);
    else
        require(strstr(text, "xn--") != NULL);
    if (rule->terms) {
        struct sek_terms_spec spec;
        char again[SEK_TERMS_TEXT_MAX];
        require(!sek_terms_from_text(rule->terms, strlen(rule->terms), &spec, NULL));
        require(!sek_terms_to_text(&spec, again, NULL) && strcmp(again, rule->terms) == 0);
    }
    return SEK_OK;
}

static void take_bad(void *arg, uint64_t line, const char *why)
{
    struct counts *c = arg;
    c->n_bad++;
    require(line > 0 && why[0] != '\0');
    for (size_t at = 0, n, len = strlen(why); at < len; at += n) {
        uint32_t point;
        n = sek_utf8_next(why + at, len - at, &point);
        require(n > 0 && !sek_utf8_is_deceptive(point));
    }
}

static void read_as(int fd, enum sek_format format)
{
    struct counts counts = {0};
    const struct sek_reader_hooks hooks = {
        .arg = &counts, .rule = take_rule, .bad = take_bad, .progress = NULL};
    struct sek_read_stats stats;
    struct sek_diag diag;
    require(lseek(fd, 0, SEEK_SET) == 0);
    enum sek_err err = sek_reader_run(fd, "fuzz", format, &hooks, &stats, &diag);
    /* LIMIT, INVALID: of $GENERATE and $INCLUDE */
    require(err == SEK_OK || err == SEK_E_CORRUPT || err == SEK_E_LIMIT || err == SEK_E_INVALID);
    require(stats.n_rules == counts.n_rules && stats.n_bad + stats.n_unsupported == counts.n_bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, 0) == 0);
    require(pwrite(fd, data, size, 0) == (ssize_t)size);
    read_as(fd, SEK_FORMAT_AUTO);
    read_as(fd, (enum sek_format)(SEK_FORMAT_PLAIN + size % SEK_FORMAT_REGEX));
    return 0;
}
