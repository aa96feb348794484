/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/reader.h"
#include "base/buf.h"
#include "name/text.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* What the hooks saw. */
struct seen {
    char rules[4096]; /* notation, joined by blanks; the first ones */
    char why[512];    /* last reason */
    uint64_t bad_line, n_rules, n_bad, progress, total;
    uint64_t stop_at; /* refuse this rule; 0 = none */
    struct sek_read_stats stats;
    struct sek_diag diag;
    enum sek_err err;
};

static enum sek_err see_rule(void *arg, const struct sek_read_rule *rule)
{
    struct seen *s = arg;
    char text[SEK_NAME_TEXT_MAX + 2];
    size_t n = strlen(s->rules);
    if (++s->n_rules == s->stop_at)
        return SEK_E_FULL;
    sek_rule_to_text(rule->scope, rule->name.octets, text);
    if (n + strlen(text) + 2 < sizeof(s->rules))
        snprintf(s->rules + n, sizeof(s->rules) - n, "%s%s", n ? " " : "", text);
    return SEK_OK;
}

static void see_bad(void *arg, uint64_t line, const char *why)
{
    struct seen *s = arg;
    s->n_bad++;
    s->bad_line = line;
    snprintf(s->why, sizeof(s->why), "%s", why);
}

static void see_progress(void *arg, uint64_t octets, uint64_t total)
{
    struct seen *s = arg;
    s->progress = octets;
    s->total = total;
}

static void read_fd(int fd, enum sek_format format, struct seen *s)
{
    const struct sek_reader_hooks hooks = {
        .arg = s, .rule = see_rule, .bad = see_bad, .progress = see_progress};
    s->err = sek_reader_run(fd, "list", format, &hooks, &s->stats, &s->diag);
    assert_int_equal(s->stats.n_rules, s->n_rules);
    assert_int_equal(s->stats.n_bad + s->stats.n_unsupported, s->n_bad);
}

static void read_octets(const void *data, size_t n, enum sek_format format, struct seen *s)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    *s = (struct seen){.stop_at = s->stop_at};
    read_fd(fd, format, s);
    close(fd);
}
#define READ(text, format, s) read_octets(text, sizeof(text) - 1, format, s)

static void test_samples(void **state)
{
    (void)state;
    static const struct {
        const char *file, *rules;
        enum sek_format format;
        unsigned n_bad;
    } rows[] = {
        {"plain.txt",
         "evil.example =www.evil.test *.below.test squid.test xn--bcher-kva.test trailing.test",
         SEK_FORMAT_PLAIN, 1},
        {"plain.txt.gz",
         "evil.example =www.evil.test *.below.test squid.test xn--bcher-kva.test trailing.test",
         SEK_FORMAT_PLAIN, 1},
        {"hosts.txt", "=evil.example =www.evil.example =ads.test", SEK_FORMAT_HOSTS, 1},
        {"adblock.txt", "evil.example ads.test good.example =exact.test", SEK_FORMAT_ADBLOCK, 2},
        {"dnsmasq.conf", "evil.example a.test b.test c.test d.test", SEK_FORMAT_DNSMASQ, 1},
        {"unbound.conf", "evil.example sink.test gone.test =ads.test", SEK_FORMAT_UNBOUND, 1},
        {"rpz.zone",
         "=evil.example *.evil.example =nodata.test =good.test =drop.test "
         "response-ip:192.0.2.1 =garden.test",
         SEK_FORMAT_RPZ, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[512];
        struct seen s = {0};
        snprintf(path, sizeof(path), "%s/tests/data/lists/%s", SEK_SOURCE_DIR, rows[i].file);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        read_fd(fd, SEK_FORMAT_AUTO, &s);
        close(fd);
        if (s.err != SEK_OK || s.stats.format != rows[i].format || s.n_bad != rows[i].n_bad ||
            strcmp(s.rules, rows[i].rules) != 0 || s.stats.truncated)
            fail_msg("%s: %d, format %s, %lu bad (%s), rules %s", rows[i].file, s.err,
                     sek_lookup_name(sek_format_names, (int)s.stats.format), (unsigned long)s.n_bad,
                     s.why, s.rules);
    }
}

static void test_guess(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sek_format format;
    } rows[] = {
        {"", SEK_FORMAT_PLAIN},
        {"# nothing\n\n", SEK_FORMAT_PLAIN},
        {"evil.example\n", SEK_FORMAT_PLAIN},
        {"not a name\n", SEK_FORMAT_PLAIN},
        {"a.test\nb.test\n||c.test^\n", SEK_FORMAT_PLAIN},
        {"||a.test^$dnstype=A\n||b.test^$client=x\n", SEK_FORMAT_ADBLOCK},
        {"^a;querytype=A\n^b;invert\n", SEK_FORMAT_REGEX},
        {"||a.test^\n||b.test^\nc.test\n", SEK_FORMAT_ADBLOCK},
        {"[Adblock Plus 2.0]\nexample.test##.x\n", SEK_FORMAT_ADBLOCK},
        {"0.0.0.0 a.test\n127.0.0.1 b.test\nc.test\n", SEK_FORMAT_HOSTS},
        {"\xef\xbb\xbf"
         "0.0.0.0 a.test\r\n",
         SEK_FORMAT_HOSTS},
        {"; a zone\n\n$TTL 1\n", SEK_FORMAT_RPZ},
        {"@ IN SOA a. b. 1 2 3 4 5\n", SEK_FORMAT_RPZ},
        {"a.test CNAME .\nb.test IN CNAME *.\n", SEK_FORMAT_RPZ},
        {"a.test\nb.test\nc.test CNAME .\n", SEK_FORMAT_PLAIN},
        {"address=/a.test/#\n", SEK_FORMAT_DNSMASQ},
        {"no-resolv\nserver=/a.test/\nlocal=/b.test/\n", SEK_FORMAT_DNSMASQ},
        {"server:\nlocal-zone: a.test static\n", SEK_FORMAT_UNBOUND},
        {"^ad[0-9]+\\.\n(\\.|^)track\\.net$\n", SEK_FORMAT_REGEX},
        {"a.test\nregex:^x\n/^y/\n", SEK_FORMAT_PLAIN},
        {"10.1.1.1 a.test\n10.1.1.2 b.test\n", SEK_FORMAT_HOSTS},
        {"address=/a.test/10.1.1.1\n", SEK_FORMAT_DNSMASQ},
        {"a.test\nb.test\n0.0.0.0 c.test\n", SEK_FORMAT_PLAIN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen s = {0};
        read_octets(rows[i].text, strlen(rows[i].text), SEK_FORMAT_AUTO, &s);
        if (s.err != SEK_OK || s.stats.format != rows[i].format)
            fail_msg("'%s': %d %s", rows[i].text, s.err,
                     sek_lookup_name(sek_format_names, (int)s.stats.format));
    }
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        size_t n;
        const char *rules;
        unsigned n_lines, bad_line;
    } rows[] = {
#define TEXT(text) text, sizeof(text) - 1
        {"CRLF", TEXT("a.test\r\nb.test\r\n"), "a.test b.test", 2, 0},
        {"byte order mark",
         TEXT("\xef\xbb\xbf"
              "a.test\n"),
         "a.test", 1, 0},
        {"mark alone", TEXT("\xef\xbb\xbf"), "", 0, 0},
        {"no newline at the end", TEXT("a.test\nb.test"), "a.test b.test", 2, 0},
        {"CR at the end", TEXT("a.test\r"), "a.test", 1, 0},
        {"empty lines", TEXT("\n\na.test\n\n"), "a.test", 4, 0},
        {"NUL", TEXT("a.test\nb\0.test\nc.test\n"), "a.test c.test", 3, 2},
        {"NUL at the end", TEXT("a.test\nb.test\0"), "a.test", 2, 2},
        {"invalid UTF-8", TEXT("a.test\n\xc3\x28.test\nc.test\n"), "a.test c.test", 3, 2},
        {"invalid punycode", TEXT("a.test\nxn--zzzzzzzz.test\nc.test\n"), "a.test c.test", 3, 2},
        {"old Macintosh", TEXT("a.test\rb.test\r"), "", 1, 1},
        {"label boundary", TEXT("evil.test\nnotevil.test\n"), "evil.test notevil.test", 2, 0},
        {"same name twice", TEXT("a.test\nA.TEST.\n"), "a.test a.test", 2, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen s = {0};
        read_octets(rows[i].text, rows[i].n, SEK_FORMAT_PLAIN, &s);
        if (s.err != SEK_OK || strcmp(s.rules, rows[i].rules) != 0 ||
            s.stats.n_lines != rows[i].n_lines || s.bad_line != rows[i].bad_line)
            fail_msg("%s: %d, %u lines, bad %u (%s), rules %s", rows[i].label, s.err,
                     (unsigned)s.stats.n_lines, (unsigned)s.bad_line, s.why, s.rules);
    }
}

/* A line of exactly the limit is read, one more octet is not; around the window's end, too. */
static void test_line_limit(void **state)
{
    (void)state;
    static const size_t before[] = {0, 256 * 1024 - 4096, 256 * 1024 - 8, 256 * 1024};
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        for (size_t len = SEK_LINE_MAX - 1; len <= SEK_LINE_MAX + 1; len++) {
            char *text = malloc(before[i] + len + 16);
            memset(text, '\n', before[i]);
            memcpy(text + before[i], "a.test #", 8);
            memset(text + before[i] + 8, 'x', len - 8);
            memcpy(text + before[i] + len, "\nb.test\n", 8);
            struct seen s = {0};
            read_octets(text, before[i] + len + 8, SEK_FORMAT_PLAIN, &s);
            bool fits = len <= SEK_LINE_MAX;
            assert_string_equal(s.rules, fits ? "a.test b.test" : "b.test");
            assert_int_equal(s.n_bad, fits ? 0 : 1);
            assert_int_equal(s.stats.n_lines, before[i] + 2);
            free(text);
        }
    }
}

/* A long list whose last line has no end is cut off; a short one was typed. */
static void test_open_end(void **state)
{
    (void)state;
    static const struct {
        unsigned n_before;
        const char *last;
        unsigned n_rules, n_bad;
    } rows[] = {
        {0, "bank.com", 1, 0},       {99, "bank.com", 100, 0},      {100, "bank.com", 100, 1},
        {100, "bank.com\n", 101, 0}, {100, "bank.com\r\n", 101, 0}, {100, "", 100, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sek_buf text;
        struct seen s = {0};
        sek_buf_init(&text, 0);
        for (unsigned n = 0; n < rows[i].n_before; n++)
            sek_buf_add_text(&text, "a.test\n");
        sek_buf_add_text(&text, rows[i].last);
        read_octets(text.data, text.len, SEK_FORMAT_PLAIN, &s);
        if (s.err || s.n_rules != rows[i].n_rules || s.n_bad != rows[i].n_bad)
            fail_msg("row %zu: %u rules, %u bad", i, (unsigned)s.n_rules, (unsigned)s.n_bad);
        sek_buf_fini(&text);
    }
}

static void test_not_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *why;
    } rows[] = {
        {TEXT("<!DOCTYPE html>\n<html>evil.example"), "looks like an HTML page, not a list"},
        {TEXT("\r\n \t<HTML>"), "HTML"},
        {TEXT("\xef\xbb\xbf<?xml version='1.0'?>"), "HTML"},
        {TEXT("{\"error\":\"quota\"}"), "JSON"},
        {TEXT("PK\x03\x04rest"), "ZIP"},
        {TEXT("\xfd"
              "7zXZ\0"),
         "xz"},
        {TEXT("BZh91AY"), "bzip2"},
        {TEXT("\x28\xb5\x2f\xfd"), "zstd"},
        {TEXT("\xff\xfe"
              "a\0.\0t\0"),
         "UTF-16"},
        {TEXT("%PDF-1.7\n"), "PDF"},
        {TEXT("SQLite format 3\0"), "SQLite"},
        {TEXT("\x7f"
              "ELF\0\0\0\0\0\0\0\0\0\0\0\0"),
         "binary"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen s = {0};
        read_octets(rows[i].text, rows[i].n, SEK_FORMAT_AUTO, &s);
        if (s.err != SEK_E_CORRUPT || !s.stats.truncated || !strstr(s.diag.text, rows[i].why) ||
            s.n_rules != 0)
            fail_msg("%s: %d '%s'", rows[i].why, s.err, s.diag.text);
        /* naming the format does not make it a list */
        read_octets(rows[i].text, rows[i].n, SEK_FORMAT_HOSTS, &s);
        assert_int_equal(s.err, SEK_E_CORRUPT);
    }
    char path[512];
    struct seen s = {0};
    snprintf(path, sizeof(path), "%s/tests/data/lists/page.html", SEK_SOURCE_DIR);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    read_fd(fd, SEK_FORMAT_AUTO, &s);
    close(fd);
    assert_int_equal(s.err, SEK_E_CORRUPT);
}

/* Checksum of gzip (RFC 1952 §8). */
static uint32_t crc32(const char *text, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static size_t put(uint8_t *out, size_t at, uint32_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        out[at++] = (uint8_t)(value >> 8 * i);
    return at;
}

/* `text` as one gzip member (RFC 1952) of one stored block at out + at. Returns the new length. */
static size_t gzip(const char *text, size_t n, uint8_t *out, size_t at, size_t size)
{
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    assert_true(at + sizeof(header) + 5 + n + 8 <= size && n <= 0xffff);
    memcpy(out + at, header, sizeof(header));
    at = put(out, at + sizeof(header), 1, 1); /* the last block, stored */
    at = put(out, at, (uint32_t)n, 2);
    at = put(out, at, ~(uint32_t)n, 2);
    memcpy(out + at, text, n);
    at = put(out, at + n, crc32(text, n), 4);
    return put(out, at, (uint32_t)n, 4);
}

static void test_gzip(void **state)
{
    (void)state;
    uint8_t out[1024];
    struct seen s = {0};
    size_t one = gzip("a.test\nb.te", 11, out, 0, sizeof(out));
    size_t two = gzip("st\nc.test\n", 10, out, one, sizeof(out));
    read_octets(out, two, SEK_FORMAT_AUTO, &s);
    assert_int_equal(s.err, SEK_OK);
    assert_string_equal(s.rules, "a.test b.test c.test");
    assert_int_equal(s.total, two);
    assert_int_equal(s.progress, two);

    size_t empty = gzip("", 0, out, 0, sizeof(out));
    read_octets(out, empty, SEK_FORMAT_AUTO, &s);
    assert_int_equal(s.err, SEK_OK);
    assert_int_equal(s.stats.n_lines, 0);

    size_t page = gzip("<html>", 6, out, 0, sizeof(out));
    read_octets(out, page, SEK_FORMAT_AUTO, &s);
    assert_non_null(strstr(s.diag.text, "HTML"));

    uint8_t twice[1024];
    size_t n = gzip((const char *)out, page, twice, 0, sizeof(twice));
    read_octets(twice, n, SEK_FORMAT_AUTO, &s);
    assert_non_null(strstr(s.diag.text, "twice"));
}

/* Cut anywhere: never taken for whole, and the cut name is not passed on. */
static void test_gzip_cut(void **state)
{
    (void)state;
    uint8_t out[1024];
    char text[400];
    size_t len = 0;
    for (int i = 0; i < 20; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "name%d.test\n", i * 7919);
    size_t n = gzip(text, len - 1, out, 0, sizeof(out)); /* no newline at the end either */
    struct seen whole = {0};
    read_octets(out, n, SEK_FORMAT_AUTO, &whole);
    assert_int_equal(whole.n_rules, 20);
    for (size_t cut = 2; cut < n; cut++) { /* one octet is not yet a gzip file */
        struct seen s = {0};
        read_octets(out, cut, SEK_FORMAT_AUTO, &s);
        if (s.err != SEK_E_CORRUPT || !s.stats.truncated || !strstr(s.diag.text, "cut off"))
            fail_msg("cut at %zu: %d '%s'", cut, s.err, s.diag.text);
        assert_int_equal(strncmp(s.rules, whole.rules, strlen(s.rules)), 0);
        assert_true(s.rules[0] == '\0' || whole.rules[strlen(s.rules)] == ' ');
    }
    out[n - 6] ^= 1; /* the checksum */
    struct seen s = {0};
    read_octets(out, n, SEK_FORMAT_AUTO, &s);
    assert_int_equal(s.err, SEK_E_CORRUPT);
    assert_true(s.stats.truncated);
    assert_non_null(strstr(s.diag.text, "damaged"));
}

/* A zone that ends within a record is told apart from a whole one. */
static void test_zone_cut(void **state)
{
    (void)state;
    struct seen s = {0};
    READ("$TTL 1\na.test CNAME .\nb.test CNAME (", SEK_FORMAT_AUTO, &s);
    assert_int_equal(s.err, SEK_OK);
    assert_true(s.stats.truncated);
    assert_string_equal(s.rules, "=a.test");
}

/* Writes a list with one line of many octets into a pipe. */
struct writer {
    int fd;
    size_t n_octets;
};

static void *write_long(void *arg)
{
    const struct writer *w = arg;
    static char block[65536];
    memset(block, 'x', sizeof(block));
    if (write(w->fd, "a.test\n", 7) == 7) {
        for (size_t n = 0; n < w->n_octets; n += sizeof(block))
            for (size_t at = 0; at < sizeof(block);) {
                ssize_t k = write(w->fd, block + at, sizeof(block) - at);
                if (k <= 0)
                    goto out;
                at += (size_t)k;
            }
        if (write(w->fd, "\nb.test\n", 8) != 8)
            print_error("pipe: %d\n", errno);
    }
out:
    close(w->fd);
    return NULL;
}

static size_t resident_kib(void)
{
    size_t total, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%zu %zu", &total, &resident), 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* A line of 256 MiB, through a FIFO: one bad line, in little memory. */
static void test_endless_line(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_reader.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int in = open(path, O_RDWR | O_CLOEXEC); /* so that neither end waits for the other */
    struct writer w = {.fd = open(path, O_WRONLY | O_CLOEXEC), .n_octets = 256u << 20};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(in >= 0 && w.fd >= 0 && fd >= 0);
    close(in);
    unlink(path);
    rmdir(folder);
    size_t before = resident_kib();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_long, &w), 0);
    struct seen s = {0};
    read_fd(fd, SEK_FORMAT_AUTO, &s);
    close(fd);
    pthread_join(thread, NULL);
    assert_int_equal(s.err, SEK_OK);
    assert_string_equal(s.rules, "a.test b.test");
    assert_int_equal(s.bad_line, 2);
    assert_int_equal(s.stats.n_lines, 3);
    assert_int_equal(s.total, 0);
    assert_in_range(resident_kib() - before, 0, 16 * 1024);
}

static void test_one_bad_among_many(void **state)
{
    (void)state;
    enum { N = 50000 };
    size_t len = 0, size = N * 24;
    char *text = malloc(size);
    for (int i = 0; i < N; i++)
        len += (size_t)snprintf(text + len, size - len, i == 30000 ? "bad/%d\n" : "n%d.test\n", i);
    struct seen s = {0};
    read_octets(text, len, SEK_FORMAT_AUTO, &s);
    free(text);
    assert_int_equal(s.n_rules, N - 1);
    assert_int_equal(s.n_bad, 1);
    assert_int_equal(s.bad_line, 30001);
}

static void test_hook_stops(void **state)
{
    (void)state;
    struct seen s = {.stop_at = 2};
    READ("a.test\nb.test\nc.test\n", SEK_FORMAT_PLAIN, &s);
    assert_int_equal(s.err, SEK_E_FULL);
    assert_int_equal(s.n_rules, 2);
    assert_non_null(strstr(s.diag.text, "list:2"));
    /* also within a line */
    s.stop_at = 2;
    READ("0.0.0.0 a.test b.test c.test\n", SEK_FORMAT_HOSTS, &s);
    assert_int_equal(s.err, SEK_E_FULL);
    assert_string_equal(s.rules, "=a.test");
}

static void test_bad_descriptor(void **state)
{
    (void)state;
    struct seen s = {0};
    read_fd(-1, SEK_FORMAT_AUTO, &s);
    assert_int_equal(s.err, SEK_E_IO);
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    read_fd(fd, SEK_FORMAT_AUTO, &s);
    close(fd);
    assert_int_equal(s.err, SEK_E_IO);
    READ("a.test\n", (enum sek_format)99, &s);
    assert_int_equal(s.err, SEK_E_INVALID);
}

/* Reading starts where the descriptor stands, leaves it open, and needs neither bad nor progress.
 */
static void test_descriptor(void **state)
{
    (void)state;
    struct seen s = {0};
    const struct sek_reader_hooks hooks = {
        .arg = &s, .rule = see_rule, .bad = NULL, .progress = NULL};
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_int_equal(write(fd, "a.test\nb.test\nb/c\n", 18), 18);
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    assert_int_equal(sek_reader_run(fd, "list", SEK_FORMAT_AUTO, &hooks, &s.stats, NULL), SEK_OK);
    assert_string_equal(s.rules, "b.test");
    assert_int_equal(s.stats.n_bad, 1);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),      cmocka_unit_test(test_guess),
        cmocka_unit_test(test_lines),        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_not_a_list),   cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_gzip_cut),     cmocka_unit_test(test_zone_cut),
        cmocka_unit_test(test_endless_line), cmocka_unit_test(test_one_bad_among_many),
        cmocka_unit_test(test_hook_stops),   cmocka_unit_test(test_bad_descriptor),
        cmocka_unit_test(test_descriptor),   cmocka_unit_test(test_open_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
