/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints forgotten: what goes, what stays, and the request that the writer carries out. */
#include "event_samples.h"
#include "store/forget.h"
#include "store/pseudonym.h"
#include "store/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-forget.XXXXXX";
static char path[64], request[SEK_FORGET_PATH_MAX], key_path[64];
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}};

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int setup(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    snprintf(path, sizeof path, "%s/events.db", dir);
    snprintf(key_path, sizeof key_path, "%s/key", dir);
    sek_forget_path(path, request);
    return mkdir(dir, 0700);
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static struct sek_addr addr(const char *text)
{
    struct sek_addr a;
    assert_int_equal(sek_addr_from_text(text, &a, NULL), SEK_OK);
    return a;
}

static int64_t ask(const char *sql)
{
    sqlite3 *db;
    int64_t n = -1;
    struct sek_diag diag = {0};
    if (sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &db, &diag) ||
        sek_sql_int(db, sql, &n, &diag))
        fail_msg("%s: %s", sql, diag.text);
    sek_sql_close(db);
    return n;
}

static void store_finding(struct sek_eventsdb *db, const char *endpoint, const char *evidence)
{
    struct sek_findings_stored stored;
    struct sek_finding f;
    memset(&f, 0, sizeof f);
    f.detector = SEK_DETECTOR_FASTFLUX;
    f.endpoint = addr(endpoint);
    f.start_ms = f.end_ms = SAMPLE_MS;
    snprintf(f.evidence, sizeof f.evidence, "%s", evidence);
    assert_int_equal(sek_eventsdb_store_findings(db, &f, 1, &stored, NULL), SEK_OK);
    assert_int_equal(stored.n_new, 1);
}

static void store_first(struct sek_eventsdb *db, const char *endpoint, const char *name)
{
    struct sek_first f = {.time_ms = SAMPLE_MS, .qtype = 1, .domain_labels = 1};
    struct sek_name wire;
    f.endpoint = addr(endpoint);
    assert_int_equal(sek_name_from_text(name, strlen(name), &wire, NULL), SEK_OK);
    f.name_len = wire.len;
    memcpy(f.name, wire.octets, wire.len);
    assert_int_equal(sek_eventsdb_store_firsts(db, &f, 1, NULL), SEK_OK);
}

/* 300 hits and traffic of 192.0.2.1, 3 of 192.0.2.11, whose text begins alike. */
static struct sek_eventsdb *filled(void)
{
    struct sek_eventsdb *db = NULL;
    struct sek_tally *t;
    struct sek_tally_batch *b;
    char aside[SEK_ASIDE_MAX], name[64];
    uint64_t rows;
    assert_int_equal(sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL), SEK_OK);
    assert_int_equal(sek_tally_new(64 << 20, NULL, &t), SEK_OK);
    for (int i = 0; i < 303; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        struct sek_event e =
            sample_hit(i < 300 ? "192.0.2.1" : "192.0.2.11", name, SAMPLE_MS + i * 10);
        assert_true(sek_tally_add(t, &e));
    }
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 1, &rows, NULL), SEK_OK);
    sek_tally_batch_free(b);
    sek_tally_free(t);
    store_finding(db, "192.0.2.1", "{}");
    store_finding(db, "192.0.2.11", "{\"asked_by\":[\"192.0.2.1\",\"192.0.2.11\"]}");
    store_first(db, "192.0.2.1", "www.secret.example");
    store_first(db, "192.0.2.11", "www.other.example");
    return db;
}

static bool file_holds(const char *file, const char *text)
{
    char octets[1 << 16];
    size_t n, len = strlen(text);
    bool found = false;
    FILE *f = fopen(file, "r");
    while (f && (n = fread(octets, 1, sizeof octets, f)) > 0)
        found = found || memmem(octets, n, text, len);
    if (f)
        fclose(f);
    return found;
}

static void check_gone(void)
{
    assert_int_equal(ask("SELECT count(*) FROM hit"), 3);
    assert_int_equal(ask("SELECT count(*) FROM hit_sum"), 3);
    assert_int_equal(ask("SELECT count(*) FROM traffic"), 3);
    assert_int_equal(ask("SELECT count(*) FROM finding"), 1);
    assert_int_equal(ask("SELECT evidence = '{\"asked_by\":[\"::\",\"192.0.2.11\"]}' FROM finding"),
                     1);
    assert_int_equal(ask("SELECT count(*) FROM endpoint WHERE address = '192.0.2.1'"), 0);
    assert_int_equal(ask("SELECT count(*) FROM endpoint"), 1);
    assert_int_equal(ask("SELECT count(*) FROM domain WHERE endpoint = '::'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM domain WHERE qname LIKE 'www.%'"), 1);
}

static void test_forgotten(void **state)
{
    (void)state;
    struct sek_eventsdb *db = filled();
    struct sek_addr endpoint = addr("192.0.2.1");
    uint64_t rows = 0;
    bool more = true;
    int slices = 0;
    for (; more; slices++)
        assert_int_equal(sek_eventsdb_forget(db, &endpoint, 100, &more, &rows, NULL), SEK_OK);
    assert_true(slices >= 6);
    assert_int_equal(rows, 603);
    check_gone();
    /* nobody of that address: nothing to do */
    rows = 0;
    assert_int_equal(sek_eventsdb_forget(db, &endpoint, 100, &more, &rows, NULL), SEK_OK);
    assert_int_equal(rows, 0);
    /* it comes back like any other, under new numbers */
    struct sek_tally *t;
    struct sek_tally_batch *b;
    struct sek_event e = sample_hit("192.0.2.1", "n0.example", SAMPLE_MS);
    assert_int_equal(sek_tally_new(64 << 20, NULL, &t), SEK_OK);
    assert_true(sek_tally_add(t, &e));
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 1, &rows, NULL), SEK_OK);
    sek_tally_batch_free(b);
    sek_tally_free(t);
    assert_int_equal(ask("SELECT count(*) FROM hits WHERE endpoint = '192.0.2.1'"), 1);
    assert_int_equal(ask("SELECT max(id) FROM hit"), 304);
    sek_eventsdb_close(db);
}

/* Deleted, and not to be read from the disk either. */
static void test_overwritten(void **state)
{
    char wal[80];
    (void)state;
    struct sek_eventsdb *db = filled();
    struct sek_addr endpoint = addr("192.0.2.1");
    uint64_t rows = 0;
    bool more = true;
    snprintf(wal, sizeof wal, "%s-wal", path);
    sek_eventsdb_checkpoint(db, true);
    assert_true(file_holds(path, "www.secret.example"));
    while (more)
        assert_int_equal(sek_eventsdb_forget(db, &endpoint, 2000, &more, &rows, NULL), SEK_OK);
    assert_false(file_holds(path, "www.secret.example"));
    assert_false(file_holds(wal, "www.secret.example"));
    sek_eventsdb_close(db);
}

static void test_request(void **state)
{
    struct sek_forget f = {0};
    (void)state;
    struct sek_eventsdb *db = filled();
    int64_t now = 1000;
    sek_forget_step(&f, db, path, now); /* there is none */
    FILE *file = fopen(request, "w");
    fputs("nonsense\n192.0.2.1\n\n", file);
    fclose(file);
    sek_forget_step(&f, db, path, now); /* not looked for yet */
    assert_int_equal(f.begin_ms, 0);
    now += 2000;
    sek_forget_step(&f, db, path, now);
    assert_true(f.begin_ms > now);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 303); /* what waits in memory comes first */
    for (int i = 0; access(request, F_OK) == 0; i++) {
        assert_true(i < 40);
        now += 1000;
        sek_forget_step(&f, db, path, now);
    }
    assert_true(now >= 8000);
    check_gone();
    assert_int_equal(f.begin_ms, 0);
    /* what is no file is left alone */
    assert_int_equal(mkdir(request, 0700), 0);
    sek_forget_step(&f, db, path, now + 60000);
    assert_int_equal(rmdir(request), 0);
    sek_eventsdb_close(db);
}

static enum sek_err refuse_note(void *arg)
{
    (void)arg;
    return SEK_E_FULL;
}

static void test_pseudonyms(void **state)
{
    uint8_t key[SEK_PSEUDONYM_KEY] = {0}, again[SEK_PSEUDONYM_KEY];
    char a[SEK_PSEUDONYM_MAX], b[SEK_PSEUDONYM_MAX];
    struct sek_addr one = addr("192.0.2.7"), mapped = addr("::ffff:192.0.2.7");
    struct stat st;
    (void)state;
    key[SEK_PSEUDONYM_KEY - 1] = 7;
    /* by openssl dgst -sha256 -mac HMAC, over "sekisho.endpoint/1" and the octets */
    assert_string_equal(sek_pseudonym(key, &one, a), "p-3cc1e83e52522518");
    assert_string_equal(sek_pseudonym(key, &mapped, b), a);
    key[0] = 1;
    assert_string_not_equal(sek_pseudonym(key, &one, b), a);
    assert_int_equal(sek_pseudonym_key_read(key_path, key, NULL), SEK_E_NOTFOUND);
    assert_int_equal(sek_pseudonym_key_make(key_path, false, NULL, NULL, NULL), SEK_OK);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(sek_pseudonym_key_read(key_path, key, NULL), SEK_OK);
    assert_int_equal(sek_pseudonym_key_make(key_path, false, NULL, NULL, NULL), SEK_E_EXISTS);
    assert_int_equal(sek_pseudonym_key_make(key_path, true, refuse_note, NULL, NULL), SEK_E_FULL);
    assert_int_equal(sek_pseudonym_key_read(key_path, again, NULL), SEK_OK);
    assert_memory_equal(again, key, sizeof key);
    assert_int_equal(sek_pseudonym_key_make(key_path, true, NULL, NULL, NULL), SEK_OK);
    assert_int_equal(sek_pseudonym_key_read(key_path, again, NULL), SEK_OK);
    assert_memory_not_equal(key, again, sizeof key);
    static const mode_t open_modes[] = {0640, 0604, 0660, 0622};
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
        assert_int_equal(chmod(key_path, open_modes[i]), 0);
        assert_int_equal(sek_pseudonym_key_read(key_path, again, NULL), SEK_E_DENIED);
    }
    static const char *const broken[] = {"", "x\n", "sekisho.privacy-key/1 00\n",
                                         "sekisho.privacy-key/2 ", "\xff\xfe"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        FILE *f = fopen(key_path, "w");
        fputs(broken[i], f);
        fclose(f);
        assert_int_equal(chmod(key_path, 0600), 0);
        assert_int_equal(sek_pseudonym_key_read(key_path, again, NULL), SEK_E_CORRUPT);
    }
    static const char *const none[] = {"",
                                       "p-",
                                       "p-012345678901234",
                                       "p-01234567890123456",
                                       "p-0123456789abcdeF",
                                       "q-0123456789abcdef"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(sek_pseudonym_is(none[i]));
    assert_true(sek_pseudonym_is(a));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {CASE(test_forgotten), CASE(test_overwritten),
                                       CASE(test_request), CASE(test_pseudonyms)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
