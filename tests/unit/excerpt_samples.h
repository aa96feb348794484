/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures made by hand, and what is expected of their excerpt: octet by octet, gzip or not. */
#pragma once
#include "replay/excerpt.h"
#include "traffic_samples.h"

#define ETHERNET 1
#define T(ms) (AT_S * 1000LL + (ms))
#define FILES 4

static struct sek_buf files[FILES], wished, frame, message, part, told;
static unsigned n_files;

/* What is asked for. */
static struct sek_wanted wanted;
static struct sek_wanted_endpoint endpoints[8];
static struct sek_wanted_name names[8];

static struct sek_buf *const bufs[] = {&wished, &frame, &message, &part, &told};

static inline int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        sek_buf_init(&files[i], 0);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        sek_buf_init(bufs[i], 0);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        sek_buf_fini(&files[i]);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        sek_buf_fini(bufs[i]);
    return 0;
}

static inline void ask_for(const char *endpoint, const char *name)
{
    wanted = (struct sek_wanted){.until_s = INT64_MAX, .endpoints = endpoints, .names = names};
    if (endpoint) {
        assert_int_equal(sek_addr_from_text(endpoint, &endpoints[0].addr, NULL), SEK_OK);
        endpoints[0].from_s = INT64_MIN;
        endpoints[0].until_s = INT64_MAX;
        wanted.n_endpoints = 1;
    }
    if (name) {
        assert_int_equal(
            sek_rule_from_text(name, strlen(name), &names[0].scope, &names[0].name, NULL), SEK_OK);
        wanted.n_names = 1;
    }
}

/* --- files and what is expected of them --------------------------------------------------------
 */

static inline void begin_nano(struct sek_buf *file, uint32_t dlt)
{
    const uint32_t magic = 0xa1b23c4d;
    size_t from = file->len;
    begin_pcap(file, dlt);
    memcpy(file->data + from, &magic, 4);
}

static inline void put_nano(struct sek_buf *file, int64_t time_ms, uint32_t ns,
                            const struct sek_buf *f)
{
    put_host32(file, (uint32_t)(time_ms / 1000));
    put_host32(file, (uint32_t)(time_ms % 1000 * 1000000) + ns);
    put_host32(file, (uint32_t)f->len);
    put_host32(file, (uint32_t)f->len);
    sek_buf_add(file, f->data, f->len);
}

static inline void begin(uint32_t dlt)
{
    for (size_t i = 0; i < FILES; i++)
        sek_buf_reset(&files[i]);
    sek_buf_reset(&wished);
    sek_buf_add_text(&wished, "");
    n_files = 1;
    begin_pcap(&files[0], dlt);
}

/* The packet in `frame`, and whether it is expected. */
static inline void add_frame(int64_t ms, bool wish)
{
    put_pcap(&files[n_files - 1], T(ms), &frame);
    if (wish && wished.len == 0)
        sek_buf_add(&wished, files[0].data, 24);
    if (wish)
        put_pcap(&wished, T(ms), &frame);
    sek_buf_reset(&frame);
}

static inline void on_unreadable(void *arg, bool fatal, const struct sek_diag *why)
{
    const char *from = strchr(why->text, ':');
    (void)arg;
    sek_buf_add_fmt(&told, "%s%s\n", fatal ? "!" : "?", from ? from : why->text);
}

static inline bool goes_on(void *arg, uint64_t octets, uint64_t all)
{
    (void)arg;
    assert_true(octets <= all);
    return true;
}

static const struct sek_excerpt_hooks hooks = {NULL, on_unreadable, goes_on};

/* What comes of the files, and in `told` what was said of them. */
static inline enum sek_err write_excerpt(bool gzip, const struct sek_excerpt_hooks *h,
                                         struct sek_buf *out, struct sek_diag *diag)
{
    struct sek_excerpt_sum sum;
    char paths[FILES][64];
    const char *list[FILES];

    for (unsigned i = 0; i < n_files; i++) {
        write_file(files[i].data, files[i].len, gzip, paths[i]);
        list[i] = paths[i];
    }
    sek_buf_reset(&told);
    sek_buf_add_text(&told, "");
    FILE *f = tmpfile();
    assert_non_null(f);
    sek_wanted_sort(&wanted);
    enum sek_err err = sek_excerpt_write(list, n_files, &wanted, fileno(f), h, &sum, diag);
    off_t size = lseek(fileno(f), 0, SEEK_END);
    sek_buf_reset(out);
    char *room = sek_buf_grow(out, (size_t)size);
    assert_int_equal(pread(fileno(f), room, (size_t)size, 0), size);
    assert_true(err || (size > 0) == (sum.n_written > 0));
    fclose(f);
    for (unsigned i = 0; i < n_files; i++)
        unlink(paths[i]);
    return err;
}

static inline void expect_also(const char *label, const char *said)
{
    struct sek_buf got;
    struct sek_diag diag = {0};

    sek_buf_init(&got, 0);
    for (int gzip = 0; gzip < 2; gzip++) {
        if (write_excerpt(gzip, &hooks, &got, &diag))
            fail_msg("%s: %s", label, diag.text);
        if (got.len != wished.len || memcmp(got.data, wished.data, got.len) != 0)
            fail_msg("%s%s: %zu octets, expected %zu", label, gzip ? " (gzip)" : "", got.len,
                     wished.len);
        if (strcmp(told.data, said) != 0)
            fail_msg("%s%s: said\n%s-- expected:\n%s", label, gzip ? " (gzip)" : "", told.data,
                     said);
    }
    sek_buf_fini(&got);
}

static inline void expect(const char *label)
{
    expect_also(label, "");
}

static inline void expect_error(const char *label, enum sek_err expected, const char *text)
{
    struct sek_buf got;
    struct sek_diag diag = {0};

    sek_buf_init(&got, 0);
    enum sek_err err = write_excerpt(false, &hooks, &got, &diag);
    if (err != expected || !strstr(diag.text, text) || got.len > 0)
        fail_msg("%s: %d %s", label, (int)err, diag.text);
    sek_buf_fini(&got);
}

/* --- messages ----------------------------------------------------------------------------------
 */

enum what { QUERY, ANSWER };

/* One packet over UDP between 10.0.0.host:4000 and the server 10.0.0.53. */
static inline void add(int64_t ms, enum what what, uint8_t host, const char *name, bool wish)
{
    sek_buf_reset(&message);
    if (what == QUERY)
        make_query(&message, 1, name);
    else
        make_answer(&message, 1, name);
    if (what == QUERY)
        put_frame(&frame, host, 4000, 53, 53, &message);
    else
        put_frame(&frame, 53, 53, host, 4000, &message);
    add_frame(ms, wish);
}
