/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/dismissed.h"
#include "base/buf.h"
#include "base/file.h"
#include "name/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define OCTETS_MAX (16U << 20)
#define COLUMNS 7
#define MODE 0644 /* the resolver's user reads it */
#define HEAD "# Findings that were dismissed. Written by sekisho findings dismiss and restore.\n"

const char *sek_dismissed_path(const char *policy_dir, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", policy_dir, SEK_DISMISSED_FILE);
    return out;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_number(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_domain(const char *text, struct sek_dismissal *one)
{
    struct sek_name name;
    if (strcmp(text, "-") == 0)
        return true;
    if (sek_name_from_text(text, strlen(text), &name, NULL))
        return false;
    one->domain_len = name.len;
    memcpy(one->domain, name.octets, name.len);
    return true;
}

/* line: changed. */
static bool read_line(char *line, struct sek_dismissal *one)
{
    char *column[COLUMNS];
    unsigned n = 0;
    *one = (struct sek_dismissal){0};
    for (char *p = line; p && n < COLUMNS;)
        column[n++] = strsep(&p, "\t");
    if (n < COLUMNS)
        return false;
    int id = sek_lookup_id(sek_detector_names, column[0]);
    one->detector = (enum sek_detector)id;
    one->everybody = strcmp(column[1], "*") == 0;
    snprintf(one->who, sizeof one->who, "%s", column[4]);
    snprintf(one->why, sizeof one->why, "%s", column[6]);
    return id > 0 &&
           (one->everybody || sek_addr_from_text(column[1], &one->endpoint, NULL) == SEK_OK) &&
           read_domain(column[2], one) && read_number(column[3], &one->time_s) &&
           read_number(column[5], &one->finding);
}

static enum sek_err read_all(char *text, const char *path, struct sek_dismissed *out,
                             struct sek_diag *diag)
{
    struct sek_dismissal one;
    unsigned number = 0;
    enum sek_err err = SEK_OK;
    for (char *p = text; p && *p && !err;) {
        char *line = strsep(&p, "\n");
        number++;
        if (*line == '#' || *line == '\0')
            continue;
        if (!read_line(line, &one))
            err = sek_diag_set(diag, SEK_E_CORRUPT,
                               "%s:%u: not a dismissed finding (detector, endpoint, domain, time, "
                               "who, id, why); remove the line",
                               path, number);
        else
            err = sek_dismissed_add(out, &one, diag);
    }
    return err;
}

enum sek_err sek_dismissed_read(const char *path, struct sek_dismissed *out, struct sek_diag *diag)
{
    struct sek_buf text;
    int fd;
    *out = (struct sek_dismissed){0};
    enum sek_err err = sek_file_open_regular(path, &fd, diag);
    if (err)
        return err == SEK_E_NOTFOUND ? SEK_OK : err;
    sek_buf_init(&text, OCTETS_MAX);
    err = sek_file_read(fd, &text, diag);
    close(fd);
    if (!err)
        sek_buf_add(&text, "", 1);
    if (!err && text.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    if (!err)
        err = read_all(text.data, path, out, diag);
    sek_buf_fini(&text);
    if (err)
        sek_dismissed_fini(out);
    return err;
}

void sek_dismissed_fini(struct sek_dismissed *d)
{
    free(d->all);
    *d = (struct sek_dismissed){0};
}

/* --- the set -----------------------------------------------------------------------------------
 */

static bool is_same_domain(const struct sek_dismissal *one, const uint8_t *domain, size_t len)
{
    return one->domain_len == len && (len == 0 || memcmp(one->domain, domain, len) == 0);
}

const struct sek_dismissal *sek_dismissed_find(const struct sek_dismissed *d,
                                               enum sek_detector detector,
                                               const struct sek_addr *endpoint,
                                               const uint8_t *domain, size_t len)
{
    for (unsigned i = 0; d && i < d->n; i++) {
        const struct sek_dismissal *one = &d->all[i];
        if (one->detector == detector && is_same_domain(one, domain, len) &&
            (one->everybody || sek_addr_equal(&one->endpoint, endpoint)))
            return one;
    }
    return NULL;
}

static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

static bool is_replaced(void *arg, const struct sek_dismissal *old)
{
    const struct sek_dismissal *one = arg;
    return old->detector == one->detector && old->everybody == one->everybody &&
           sek_addr_equal(&old->endpoint, &one->endpoint) &&
           is_same_domain(old, one->domain, one->domain_len);
}

enum sek_err sek_dismissed_add(struct sek_dismissed *d, const struct sek_dismissal *one,
                               struct sek_diag *diag)
{
    struct sek_dismissal copy = *one;
    if (copy.everybody)
        memset(&copy.endpoint, 0, sizeof copy.endpoint);
    flatten(copy.who);
    flatten(copy.why);
    sek_dismissed_remove(d, is_replaced, &copy);
    if (d->n >= SEK_DISMISSED_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT,
                            "more than %d findings are dismissed: exclude names "
                            "by the settings of the detector instead",
                            SEK_DISMISSED_MAX);
    struct sek_dismissal *all = reallocarray(d->all, d->n + 1, sizeof *all);
    if (!all)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for dismissed findings");
    d->all = all;
    d->all[d->n++] = copy;
    return SEK_OK;
}

unsigned sek_dismissed_remove(struct sek_dismissed *d, sek_dismissal_fn *fn, void *arg)
{
    unsigned kept = 0, n = d->n;
    for (unsigned i = 0; i < n; i++)
        if (!fn(arg, &d->all[i])) {
            if (kept != i)
                d->all[kept] = d->all[i];
            kept++;
        }
    d->n = kept;
    return n - kept;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void add_line(struct sek_buf *b, const struct sek_dismissal *one)
{
    char endpoint[SEK_ADDR_TEXT_MAX] = "*", domain[SEK_NAME_TEXT_MAX] = "-";
    if (!one->everybody)
        sek_addr_to_text(&one->endpoint, endpoint);
    if (one->domain_len)
        sek_name_to_text(one->domain, domain);
    sek_buf_add_fmt(b, "%s\t%s\t%s\t%" PRId64 "\t%s\t%" PRId64 "\t%s\n",
                    sek_lookup_name(sek_detector_names, (int)one->detector), endpoint, domain,
                    one->time_s, one->who, one->finding, one->why);
}

enum sek_err sek_dismissed_write(const struct sek_dismissed *d, const char *path,
                                 struct sek_diag *diag)
{
    struct sek_file_new file;
    struct sek_buf text;
    sek_buf_init(&text, OCTETS_MAX);
    sek_buf_add_text(&text, HEAD);
    for (unsigned i = 0; i < d->n; i++)
        add_line(&text, &d->all[i]);
    enum sek_err err = text.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path)
                                   : sek_file_new_open(path, MODE, &file, diag);
    if (!err) {
        err = sek_file_new_write(&file, text.data, text.len, diag);
        if (!err)
            err = sek_file_new_commit(&file, diag);
        else
            sek_file_new_abort(&file);
    }
    sek_buf_fini(&text);
    return err;
}
