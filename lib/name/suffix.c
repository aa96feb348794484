/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/suffix.h"
#include "base/duration.h"
#include "base/file.h"
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

/* Rules have 5 labels at most (2026); names are cut to this many, so that the cost of a query has a
 * bound: libpsl asks for every suffix in turn. */
#define LABELS_SEEN 9

struct sek_suffix {
    const psl_ctx_t *list;
    psl_ctx_t *loaded; /* what psl_free gets; NULL for the built-in list */
    char version[24];
};

static enum sek_err load_fd(int fd, const char *path, struct sek_suffix *s, struct sek_diag *diag)
{
    struct stat st;
    FILE *file;

    if (fstat(fd, &st) != 0 || !(file = fdopen(fd, "r"))) {
        close(fd);
        return sek_diag_set(diag, SEK_E_IO, "%s: cannot read", path);
    }
    s->loaded = psl_load_fp(file);
    fclose(file);
    /* 0: not one rule. -1: the compiled form, which has no count but a header that was checked. */
    if (!s->loaded || psl_suffix_count(s->loaded) == 0)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: not a public suffix list", path);
    s->list = s->loaded;
    sek_time_to_text((int64_t)st.st_mtime, s->version, sizeof(s->version));
    return SEK_OK;
}

static enum sek_err load(const char *path, struct sek_suffix *s, struct sek_diag *diag)
{
    int fd;
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);

    return err == SEK_OK ? load_fd(fd, path, s, diag) : err;
}

/* Modification time, or 0 where there is no such file. */
static time_t file_time(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 ? st.st_mtime : 0;
}

/* The newest of the distribution's list and libpsl's own. The distribution's exists as text and as
 * a compiled file made from it; the text, once read, answers two to four times as fast. */
static enum sek_err load_newest(struct sek_suffix *s, struct sek_diag *diag)
{
    const time_t minute = 60; /* the compiled file is this much younger than its text */
    time_t built_in = psl_builtin() ? psl_builtin_file_time() : 0, compiled, text;
    const char *dist = psl_dist_filename();
    char path[512] = "";
    size_t len = dist ? strlen(dist) : 0;

    if (len > 6 && len < sizeof(path) && strcmp(dist + len - 6, ".dafsa") == 0)
        snprintf(path, sizeof(path), "%.*s.dat", (int)(len - 6), dist);
    compiled = file_time(dist);
    text = file_time(path);
    if (text > 0 && text + minute >= compiled && text + minute >= built_in &&
        load(path, s, NULL) == SEK_OK)
        return SEK_OK;
    if (compiled > 0 && compiled >= built_in && load(dist, s, NULL) == SEK_OK)
        return SEK_OK;
    s->list = psl_builtin();
    if (!s->list)
        return sek_diag_set(diag, SEK_E_NOTFOUND,
                            "no public suffix list: install the package publicsuffix");
    sek_time_to_text((int64_t)built_in, s->version, sizeof(s->version));
    return SEK_OK;
}

enum sek_err sek_suffix_open(const char *path, struct sek_suffix **out, struct sek_diag *diag)
{
    struct sek_suffix *s = calloc(1, sizeof(*s));
    enum sek_err err;

    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the public suffix list");
    err = path ? load(path, s, diag) : load_newest(s, diag);
    if (err != SEK_OK) {
        sek_suffix_close(s);
        return err;
    }
    s->version[10] = '\0'; /* the day is enough */
    *out = s;
    return SEK_OK;
}

void sek_suffix_close(struct sek_suffix *s)
{
    if (!s)
        return;
    psl_free(s->loaded);
    free(s);
}

const char *sek_suffix_version(const struct sek_suffix *s)
{
    return s->version;
}

/* The dotted text of the name without its `skip` left-most labels, for libpsl. Label k's first
 * octet lands at offset[k] - offset[skip]. Octets that no listed name has, a dot inside a label
 * among them, become '!', which no suffix contains: they can neither split a label nor match one.
 */
static void to_dotted(const struct sek_name *name, unsigned skip, char out[SEK_NAME_MAX + 1])
{
    size_t n = 0;

    for (unsigned k = skip; k < name->n_labels; k++) {
        const uint8_t *label = name->octets + name->offset[k];

        if (k > skip)
            out[n++] = '.';
        for (size_t i = 1; i <= label[0]; i++) {
            uint8_t c = label[i];
            bool known = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

            out[n++] = known ? (char)c : '!';
        }
    }
    out[n] = '\0';
}

bool sek_suffix_is_public(const struct sek_suffix *s, const struct sek_name *name)
{
    char dotted[SEK_NAME_MAX + 1];

    if (name->n_labels <= 1)
        return true;
    if (name->n_labels > LABELS_SEEN)
        return false;
    to_dotted(name, 0, dotted);
    return psl_is_public_suffix(s->list, dotted) != 0;
}

int sek_suffix_registered(const struct sek_suffix *s, const struct sek_name *name)
{
    char dotted[SEK_NAME_MAX + 1];
    const char *found;
    unsigned skip, k;

    if (name->n_labels < 2)
        return -1;
    skip = name->n_labels > LABELS_SEEN ? name->n_labels - LABELS_SEEN : 0;
    to_dotted(name, skip, dotted);
    found = psl_registrable_domain(s->list, dotted);
    if (!found)
        return -1;
    for (k = skip; name->offset[k] - name->offset[skip] < found - dotted;)
        k++;
    return (int)k;
}
