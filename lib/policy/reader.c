/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/reader.h"
#include "base/file.h"
#include "policy/formats.h"
#include "policy/rpz.h"
#include "policy/span.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/banned.h"

#define WINDOW (256 * 1024) /* octets of input in memory; the first ones are looked at to guess */
#define INCLUDE_DEPTH 8     /* files within each other */
#define GUESS_LINES 200     /* lines with content that take part in the guess */

/* The decompressed input, a window of it at a time. */
struct input {
    gzFile gz;
    const char *label;
    void (*progress)(void *arg, uint64_t octets, uint64_t total); /* NULL: nobody wants to know */
    void *progress_arg;
    struct sek_read_stats *stats;
    uint64_t start_octet, total, done; /* of the file, compressed; total 0 = unknown */
    size_t from, to;                   /* what is left in the window */
    bool eof;
    int failed, errnum; /* zlib's code where the stream ended by an error, and errno then */
    char window[WINDOW];
};

/* Opening and filling */

static enum sek_err input_open(int fd, const char *label, struct sek_read_stats *stats,
                               struct input **out, struct sek_diag *diag)
{
    struct input *in = calloc(1, sizeof(*in));
    if (!in)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", label);
    in->label = label;
    in->stats = stats;
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0)
        in->start_octet = (uint64_t)at;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > at)
        in->total = (uint64_t)(st.st_size - at);
    int own = dup(fd); /* gzclose closes it */
    in->gz = own < 0 ? NULL : gzdopen(own, "rb");
    if (!in->gz) {
        enum sek_err err = sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot read: %s",
                                        label, strerrordesc_np(errno));
        if (own >= 0)
            close(own);
        free(in);
        return err;
    }
    gzbuffer(in->gz, WINDOW);
    *out = in;
    return SEK_OK;
}

static void input_close(struct input *in)
{
    gzclose_r(in->gz);
    free(in);
}

/* What zlib thinks of the stream so far. */
static enum sek_err input_error(struct input *in, struct sek_diag *diag)
{
    int code;
    switch (in->failed) {
    case Z_OK:
        return SEK_OK;
    case Z_BUF_ERROR:
        in->stats->truncated = true;
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: the gzip file is cut off: fetch it again",
                            in->label);
    case Z_ERRNO:
        return sek_diag_set(diag, sek_err_from_errno(in->errnum), "%s: cannot read: %s", in->label,
                            strerrordesc_np(in->errnum));
    case Z_MEM_ERROR:
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to decompress it", in->label);
    default:
        in->stats->truncated = true;
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: the gzip file is damaged: %s", in->label,
                            gzerror(in->gz, &code));
    }
}

/* Make the window as full as the input allows. A cut gzip file gives all it has first, then the
 * error: what could be read is passed on before it is reported. */
static enum sek_err input_fill(struct input *in, struct sek_diag *diag)
{
    uint64_t n_read = 0;
    memmove(in->window, in->window + in->from, in->to - in->from);
    in->to -= in->from;
    in->from = 0;
    while (in->to < WINDOW && !in->eof) {
        int n = gzread(in->gz, in->window + in->to, (unsigned)(WINDOW - in->to));
        if (n > 0) {
            in->to += (size_t)n;
            n_read += (uint64_t)n;
            continue;
        }
        in->errnum = errno;
        in->eof = true;
        gzerror(in->gz, &in->failed);
        if (in->failed == Z_STREAM_END)
            in->failed = Z_OK;
    }
    z_off_t at = gzoffset(in->gz);
    if (at >= 0)
        in->done = (uint64_t)at - in->start_octet;
    else
        in->done += n_read; /* a pipe has no place to tell */
    if (in->progress)
        in->progress(in->progress_arg, in->done, in->total);
    return in->to == 0 ? input_error(in, diag) : SEK_OK;
}

/* Lines */

struct line {
    const char *text;
    size_t len;
    bool too_long; /* text is not to be used */
    bool open;     /* the input ends in it */
    bool end;      /* no line: the input is over */
};

/* Take the next line out of the window. False if its end is not in there. At the input's end the
 * rest is a line, but not where the stream was cut: half a name is another name. */
static bool window_line(struct input *in, struct line *out)
{
    const char *text = in->window + in->from;
    size_t left = in->to - in->from;
    const char *newline = memchr(text, '\n', left);
    if (!newline && (!in->eof || in->failed != Z_OK || left == 0))
        return false;
    size_t len = newline ? (size_t)(newline - text) : left;
    in->from += len + (newline ? 1 : 0);
    if (len > 0 && text[len - 1] == '\r')
        len--;
    *out = (struct line){text, len, len > SEK_LINE_MAX, !newline, false};
    return true;
}

/* The next line, refilling the window. Of a line without end only its last window is ever held. */
static enum sek_err input_line(struct input *in, struct line *out, struct sek_diag *diag)
{
    bool cut = false;
    *out = (struct line){.text = ""};
    while (!window_line(in, out)) {
        if (in->eof) {
            in->from = in->to;
            out->too_long = cut;
            out->end = !cut;
            return cut ? SEK_OK : input_error(in, diag);
        }
        if (in->to - in->from > SEK_LINE_MAX) {
            cut = true;
            in->from = in->to;
        }
        enum sek_err err = input_fill(in, diag);
        if (err != SEK_OK)
            return err;
    }
    out->too_long = out->too_long || cut;
    return SEK_OK;
}

/* Is it a list? */

struct magic {
    const char *octets;
    size_t n;
    const char *what;
};
#define MAGIC(octets, what)                                                                        \
    {                                                                                              \
        octets, sizeof(octets) - 1, what                                                           \
    }

static const struct magic magics[] = {
    MAGIC("\x1f\x8b", "is compressed twice"),
    MAGIC("PK\x03\x04", "is a ZIP archive: unpack it first"),
    MAGIC("\xfd\x37zXZ", "is compressed by xz: unpack it first"),
    MAGIC("BZh", "is compressed by bzip2: unpack it first"),
    MAGIC("\x28\xb5\x2f\xfd", "is compressed by zstd: unpack it first"),
    MAGIC("\xff\xfe", "is UTF-16 text: convert it to UTF-8 first"),
    MAGIC("\xfe\xff", "is UTF-16 text: convert it to UTF-8 first"),
    MAGIC("%PDF-", "is a PDF document, not a list"),
    MAGIC("SQLite format 3", "is a SQLite database, not a list"),
};

/* Share of control characters that text never has: one octet of so many (and some in any case: a
 * few strays are bad lines of a list). */
#define BINARY_SHARE 50

static bool is_binary(const char *text, size_t len)
{
    size_t n_controls = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == 0x7f || (c < ' ' && c != '\n' && c != '\r' && !sek_span_is_blank((char)c)))
            n_controls++;
    }
    return n_controls > 8 + len / BINARY_SHARE;
}

/* What the first octets show it to be, or NULL for what may be a list. */
static const char *what_else(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (len >= magics[i].n && memcmp(text, magics[i].octets, magics[i].n) == 0)
            return magics[i].what;
    size_t i = 0;
    while (i < len && (text[i] == '\n' || text[i] == '\r' || sek_span_is_blank(text[i])))
        i++;
    if (i < len && text[i] == '<')
        return "looks like an HTML page, not a list";
    if (i < len && text[i] == '{')
        return "looks like JSON, not a list";
    return is_binary(text, len) ? "is binary, not a list" : NULL;
}

/* Which format? */

/* Would this format read the line as rules, or know it for what we cannot do? */
static bool format_reads(const struct sek_format_row *row, const struct line *line)
{
    if (row->claims)
        return row->claims(line->text, line->len);
    struct sek_read_stats stats = {0};
    struct sek_feed feed = {.stats = &stats};
    row->line(&feed, line->text, line->len);
    return stats.n_rules + stats.n_unsupported > 0 && stats.n_bad == 0;
}

/* Each of the first lines counts for the first format that reads it. */
static const struct sek_format_row *guess(const struct input *in)
{
    unsigned n_lines = 0, n_read[SEK_FORMAT_REGEX + 1] = {0};
    const char *at = in->window + in->from, *end = in->window + in->to, *newline;
    for (; at < end && n_lines < GUESS_LINES; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            newline = end;
        struct sek_span s = sek_span_trim(at, (size_t)(newline - at));
        if (s.len > 0 && s.at[s.len - 1] == '\r')
            s.len--;
        if (s.len == 0 || s.len > SEK_LINE_MAX || strchr("#!;", s.at[0]))
            continue;
        n_lines++;
        /* blanks in front are part of a zone record */
        struct line line = {at, (size_t)(s.at + s.len - at), false, false, false};
        for (const struct sek_format_row *row = sek_formats; row->line; row++)
            if (row->sign && row->sign(line.text, line.len))
                return row;
        for (const struct sek_format_row *row = sek_formats; row->line; row++) {
            if (format_reads(row, &line)) {
                n_read[row->id]++;
                break;
            }
        }
    }
    const struct sek_format_row *best = sek_formats;
    for (const struct sek_format_row *row = sek_formats; row->line; row++)
        if (n_read[row->id] > n_read[best->id])
            best = row;
    return best;
}

static const struct sek_format_row *format_row(enum sek_format format)
{
    const struct sek_format_row *row = sek_formats;
    while (row->line && row->id != format)
        row++;
    return row->line ? row : NULL;
}

/* Reading */

static void read_line(const struct sek_format_row *row, struct sek_feed *feed,
                      const struct line *line)
{
    const char *why = NULL;
    if (line->too_long)
        why = "longer than 4096 octets";
    else if (memchr(line->text, '\0', line->len))
        why = "holds a NUL octet";
    else if (line->open && *sek_feed_line(feed) > SEK_WHOLE_LINES && !feed->hooks->any_end)
        why = "the last line has no end: the list may be cut off here";
    if (!why) {
        row->line(feed, line->text, line->len);
        return;
    }
    sek_feed_bad(feed, "%s", why);
    if (feed->rpz)
        sek_rpz_gap(feed->rpz);
}

/* The rule hook gave up, or an included file did. Their own words stand, if they put them into the
 * same diag. */
static enum sek_err stopped(const struct input *in, struct sek_feed *feed, struct sek_diag *diag)
{
    uint64_t line = *sek_feed_line(feed);
    if (diag && diag->code == feed->stop)
        return sek_diag_wrap(diag, "%s:%" PRIu64, in->label, line);
    return sek_diag_set(diag, feed->stop, "%s:%" PRIu64 ": %s", in->label, line,
                        sek_err_text(feed->stop));
}

static enum sek_err read_lines(struct input *in, const struct sek_format_row *row,
                               struct sek_feed *feed, struct sek_diag *diag)
{
    for (;;) {
        struct line line;
        enum sek_err err = input_line(in, &line, diag);
        if (err != SEK_OK || line.end)
            return err;
        feed->stats->n_lines++;
        ++*sek_feed_line(feed);
        read_line(row, feed, &line);
        if (feed->stop != SEK_OK)
            return stopped(in, feed, diag);
    }
}

/* The first window of the input, if it may be a list. */
static enum sek_err input_begin(struct input *in, struct sek_diag *diag)
{
    enum sek_err err = input_fill(in, diag);
    if (err != SEK_OK)
        return err;
    if (in->to >= 3 && memcmp(in->window, "\xef\xbb\xbf", 3) == 0)
        in->from = 3; /* byte order mark of UTF-8 */
    const char *other = what_else(in->window + in->from, in->to - in->from);
    if (!other)
        return SEK_OK;
    in->stats->truncated = true;
    return sek_diag_set(diag, SEK_E_CORRUPT, "%s %s", in->label, other);
}

/* Included files */

/* Beside the file that names it. NULL without memory. */
static char *beside(const char *path, const char *name)
{
    const char *slash = *name == '/' ? NULL : strrchr(path, '/');
    size_t n_folder = slash ? (size_t)(slash - path) + 1 : 0, n = strlen(name);
    char *out = malloc(n_folder + n + 1);
    if (!out)
        return NULL;
    memcpy(out, path, n_folder);
    memcpy(out + n_folder, name, n + 1);
    return out;
}

static enum sek_err read_included(struct sek_feed *feed, int fd)
{
    struct input *in;
    enum sek_err err = input_open(fd, feed->file->name, feed->stats, &in, feed->diag);
    if (err)
        return err;
    err = input_begin(in, feed->diag);
    if (!err)
        err = read_lines(in, format_row(SEK_FORMAT_RPZ), feed, feed->diag);
    if (!err && !sek_rpz_end(feed))
        in->stats->truncated = true;
    input_close(in);
    return err;
}

static enum sek_err include(struct sek_feed *feed, const char *name)
{
    struct sek_feed_file file = {.name = name, .outer = feed->file};
    const char *path = feed->file ? feed->file->path : feed->hooks->path;
    unsigned depth = 1;
    int fd;
    for (const struct sek_feed_file *f = feed->file; f; f = f->outer)
        depth++;
    if (!path)
        return sek_diag_set(feed->diag, SEK_E_INVALID,
                            "$INCLUDE %s: only a file on disk, given to sekisho list import, can "
                            "include others",
                            name);
    if (depth > INCLUDE_DEPTH)
        return sek_diag_set(feed->diag, SEK_E_LIMIT,
                            "$INCLUDE %s: more than %d files within each other: does one include "
                            "itself?",
                            name, INCLUDE_DEPTH);
    char *whole = beside(path, name);
    if (!whole)
        return sek_diag_set(feed->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    file.path = whole;
    enum sek_err err = sek_file_open_regular(whole, &fd, feed->diag);
    if (err) {
        sek_diag_wrap(feed->diag, "$INCLUDE");
    } else {
        feed->file = &file;
        err = read_included(feed, fd);
        feed->file = file.outer;
        close(fd);
    }
    free(whole);
    return err;
}

/* All of it */

static enum sek_err read_input(struct input *in, enum sek_format format,
                               const struct sek_reader_hooks *hooks, struct sek_diag *diag)
{
    enum sek_err err = input_begin(in, diag);
    if (err != SEK_OK)
        return err;
    const struct sek_format_row *row = format == SEK_FORMAT_AUTO ? guess(in) : format_row(format);
    if (!row)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: unknown list format %d", in->label, format);
    in->stats->format = row->id;
    struct sek_diag own; /* what stopped it is told in any case */
    struct sek_feed feed = {
        .hooks = hooks, .stats = in->stats, .include = include, .diag = diag ? diag : &own};
    if (row->id == SEK_FORMAT_RPZ) {
        err = sek_rpz_new(&feed.rpz, diag);
        if (err != SEK_OK)
            return err;
    }
    err = read_lines(in, row, &feed, diag);
    if (err == SEK_OK && feed.rpz && !sek_rpz_end(&feed))
        in->stats->truncated = true;
    sek_rpz_free(feed.rpz);
    return err;
}

enum sek_err sek_reader_run(int fd, const char *label, enum sek_format format,
                            const struct sek_reader_hooks *hooks, struct sek_read_stats *stats,
                            struct sek_diag *diag)
{
    *stats = (struct sek_read_stats){.format = format};
    if (diag)
        *diag = (struct sek_diag){.code = SEK_OK};
    struct input *in = NULL;
    enum sek_err err = input_open(fd, label, stats, &in, diag);
    if (err != SEK_OK)
        return err;
    in->progress = hooks->progress;
    in->progress_arg = hooks->arg;
    err = read_input(in, format, hooks, diag);
    input_close(in);
    return err;
}
