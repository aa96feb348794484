/* SPDX-License-Identifier: BSD-3-Clause */
#include "logfiles.h"
#include "tools/input/textlines.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define GUESS_LINES 1000 /* of a file that no map fits, until it is given up */
#define WHYS 3           /* of them, whose fault is told */

/* In the order of SEK_LOGFILES_MAPS. */
static const char *const installed[] = {"zeek-conn",   "iptables",          "iptables-journal",
                                        "fortigate",   "cisco-asa",         "edr-network",
                                        "windows-dns", "windows-dns-debug", "suricata",
                                        "squid",       "squid-combined",    "firewall-json",
                                        "csv"};
#define N_INSTALLED (sizeof installed / sizeof *installed)

struct why { /* a line was not read */
    uint64_t line;
    const char *map;  /* that came nearest; NULL: none */
    unsigned n_found; /* by it */
    char text[sizeof((struct sek_diag *)0)->text];
};

struct sek_logfiles {
    int64_t now_s;
    const char *named; /* the map's own name; NULL: found out */
    struct sek_logmap maps[N_INSTALLED];
    unsigned n_maps;
    struct sek_logmap *map; /* that fits; NULL: none yet */
    unsigned n_unfit;       /* lines that no map fits */
    struct why why[WHYS];
    unsigned n_whys;
    sek_logfiles_fn *fn;
    void *arg;
    uint64_t n_lines, n_else; /* handed out; about something else by the map that fits */
    uint64_t n_seen, n_bad;
};

static enum sek_err add_map(struct sek_logfiles *f, const char *name,
                            const struct sek_zone_changes *zone, struct sek_diag *diag)
{
    struct sek_logmap *m = &f->maps[f->n_maps];
    enum sek_err err = sek_logmap_load(name, m, diag);
    if (err)
        return err;
    if (zone)
        m->zone = *zone;
    f->n_maps++;
    return SEK_OK;
}

enum sek_err sek_logfiles_open(const char *map, const struct sek_zone_changes *zone, int64_t now_s,
                               struct sek_logfiles **out, struct sek_diag *diag)
{
    struct sek_logfiles *f = calloc(1, sizeof *f);
    enum sek_err err = f ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (f) {
        f->now_s = now_s;
        f->named = map;
    }
    if (!err && map)
        err = add_map(f, map, zone, diag);
    for (unsigned i = 0; !err && !map && i < N_INSTALLED; i++)
        err = add_map(f, installed[i], zone, diag);
    if (err) {
        free(f);
        return err;
    }
    *out = f;
    return SEK_OK;
}

void sek_logfiles_close(struct sek_logfiles *f)
{
    free(f);
}

/* The first of the maps that can read a line. *out_why: what the nearest of the others lacks. */
static struct sek_logmap *find_map(struct sek_logfiles *f, const char *line,
                                   struct sek_log_line *out, struct why *out_why, bool *out_head)
{
    char copy[SEK_TEXTLINE_MAX + 1];
    *out_why = (struct why){.map = NULL};
    *out_head = false;
    for (unsigned i = 0; i < f->n_maps; i++) {
        struct sek_diag diag = {0};
        snprintf(copy, sizeof copy, "%s", line);
        int got = sek_logmap_line(&f->maps[i], copy, f->now_s, out, &diag);
        if (got == 1)
            return &f->maps[i];
        if (got < 0 && out->n_found > out_why->n_found) {
            out_why->map = installed[i];
            out_why->n_found = out->n_found;
            snprintf(out_why->text, sizeof out_why->text, "%s", diag.text);
        }
        *out_head |= f->maps[i].has_head;
    }
    return NULL;
}

static enum sek_err give_up(struct sek_logfiles *f, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_LIMIT,
                        "none of the installed maps fits%s; describe the columns in one of your "
                        "own (policy/README.md) and use --with-map",
                        f->n_whys ? " these lines" : "");
}

/* The first line that a map can read tells whose file it is. */
static int guess(struct sek_logfiles *f, const char *line, struct sek_log_line *out,
                 struct sek_diag *diag)
{
    struct why why;
    bool head;
    f->map = find_map(f, line, out, &why, &head);
    why.line = f->n_seen + f->n_bad; /* none that was seen was told as bad */
    if (f->map)
        return 1;
    if (head || *line == '#' || !*line)
        return 0;
    if (f->n_whys < WHYS)
        f->why[f->n_whys++] = why;
    return ++f->n_unfit < GUESS_LINES ? 0 : (int)give_up(f, diag);
}

/* By the map that fits. Exports of endpoints mix kinds of events, for each of which there is a map:
 * what one takes for something else goes to the others. */
static int read_by_map(struct sek_logfiles *f, char *line, struct sek_log_line *out,
                       struct sek_diag *diag)
{
    struct why why;
    bool head, mixed = !f->named && *line == '{';
    uint64_t before = f->map->n_else;
    int got = sek_logmap_line(f->map, line, f->now_s, out, diag);
    if (got != 0 || f->map->n_else == before)
        return got;
    if (mixed && find_map(f, line, out, &why, &head))
        return 1;
    f->n_else++;
    return 0;
}

static enum sek_err one_line(void *arg, char *line, struct sek_diag *diag)
{
    struct sek_logfiles *f = arg;
    struct sek_log_line out;
    f->n_seen++;
    int got = f->map ? read_by_map(f, line, &out, diag) : guess(f, line, &out, diag);
    if (got < 0)
        return (enum sek_err)got;
    f->n_lines += got == 1;
    return got ? f->fn(f->arg, &out, diag) : SEK_OK;
}

/* What the map lacks that comes nearest to any of the first lines. */
static void tell_whys(const struct sek_logfiles *f, const char *label)
{
    unsigned best = 0;
    for (unsigned i = 0; i < f->n_whys; i++)
        best = f->why[i].n_found > best ? f->why[i].n_found : best;
    for (unsigned i = 0; i < f->n_whys; i++) {
        const struct why *w = &f->why[i];
        if (best && w->n_found == best)
            sek_talk("%.200s:%" PRIu64 ": nearest is the map %s, but %s", label, w->line, w->map,
                     w->text);
        else if (!best && i == 0)
            sek_talk("%.200s:%" PRIu64 ": no installed map knows such a line", label, w->line);
    }
}

static enum sek_err nothing_read(const struct sek_logfiles *f, const char *label,
                                 struct sek_diag *diag)
{
    tell_whys(f, label);
    if (f->n_else)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "%.200s: no line could be read by %s: %" PRIu64
                            " are about something else, by its \"only\" and \"not\"",
                            label, f->named, f->n_else);
    return sek_diag_set(diag, SEK_E_INVALID, "%.200s: no line could be read%s%s", label,
                        f->named ? " by " : "; describe its columns by --with-map",
                        f->named ? f->named : "");
}

enum sek_err sek_logfiles_read(struct sek_logfiles *f, const char *path, sek_logfiles_fn *fn,
                               void *arg, uint64_t *io_lines, uint64_t *io_else,
                               struct sek_diag *diag)
{
    const char *label = strcmp(path, "-") == 0 ? "standard input" : path;
    for (unsigned i = 0; i < f->n_maps; i++)
        sek_logmap_begin(&f->maps[i]);
    f->map = f->named ? &f->maps[0] : NULL;
    f->n_unfit = f->n_whys = 0;
    f->n_lines = f->n_else = f->n_seen = 0;
    f->fn = fn;
    f->arg = arg;
    enum sek_err err = sek_textlines_read(path, one_line, f, &f->n_bad, diag);
    if (err == SEK_E_LIMIT && !f->map)
        tell_whys(f, label);
    if (err)
        return err;
    bool any = f->n_bad || f->n_unfit || f->n_else;
    if (f->n_lines == 0 && any)
        return nothing_read(f, label, diag);
    if (f->n_bad)
        sek_talk("%.200s: bad lines skipped: %" PRIu64, label, f->n_bad);
    *io_lines += f->n_lines;
    *io_else += f->n_else;
    return SEK_OK;
}
