/* SPDX-License-Identifier: BSD-3-Clause */
/* For the tests of policy.db: a fresh one in a folder of its own, and short ways to fill it. */
#pragma once
#include "name/text.h"
#include "store/policydb.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW 1700000000

static char dir[] = "/tmp/sek-policydb-XXXXXX";
static char path[64];

static inline int setup(void **state)
{
    struct sek_policydb *db;
    (void)state;
    snprintf(path, sizeof path, "%s/policy.db", dir);
    if (sek_policydb_open(path, true, &db, NULL))
        return -1;
    sek_policydb_close(db);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static inline int setup_all(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown_all(void **state)
{
    (void)state;
    return rmdir(dir);
}

static inline struct sek_policydb *db_open(void)
{
    struct sek_policydb *db = NULL;
    struct sek_diag diag = {0};
    if (sek_policydb_open(path, true, &db, &diag))
        fail_msg("%s", diag.text);
    return db;
}

/* A call that has to succeed. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        struct sek_diag diag = {0};                                                                \
        if (call)                                                                                  \
            fail_msg("%s: %s", #call, diag.text);                                                  \
    } while (0)

static inline struct sek_name name_of(const char *text)
{
    struct sek_name name;
    if (sek_name_from_text(text, strlen(text), &name, NULL))
        fail_msg("no name: %s", text);
    return name;
}

static inline uint16_t list_new(struct sek_policydb *db, const char *name)
{
    struct sek_list_row row = {
        .list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NXDOMAIN, .ede = 15},
        .created_s = NOW};
    snprintf(row.list.name, sizeof row.list.name, "%s", name);
    OK(sek_policydb_list_add(db, &row, &diag));
    return row.list.id;
}

static inline struct sek_entry entry_of(uint16_t list, const char *name, enum sek_scope scope)
{
    return (struct sek_entry){.name = name_of(name),
                              .rule = {.list = list, .scope = (uint8_t)scope},
                              .created_s = NOW,
                              .who = "tester",
                              .comment = "why not"};
}

static inline uint64_t generation_of(struct sek_policydb *db)
{
    uint64_t n = 0;
    OK(sek_policydb_generation(db, &n, &diag));
    return n;
}

/* One number from the database, by another connection. */
static inline int64_t number_of(const char *sql)
{
    sqlite3 *raw;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open_v2(path, &raw, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(raw);
    return n;
}

static inline uint32_t n_entries_of(struct sek_policydb *db, const char *list)
{
    struct sek_list_row row;
    OK(sek_policydb_list_get(db, list, &row, &diag));
    return row.list.n_entries;
}

#define ON_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
