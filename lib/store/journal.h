/* SPDX-License-Identifier: BSD-3-Clause */
/* What a transaction changes in policy.db, row by row, for the audit trail and for undo; the files
 * behind store/audit.h share it, nobody else includes this. Triggers of the connection note each
 * row of the tables below before and after the change, whoever changes it: a new table is one row
 * in journal_tables.c. One thread.
 *
 * Kept as parts of some 64 KiB, each to be read by itself. A part is a sequence of records:
 *     op       octet: 'i' inserted, 'd' deleted, 'u' updated, 'n' named (a list's id and name, or
 *              a group's and its list, for rows that have only the id)
 *     table    number: its id
 *     image(s) 'i', 'n': the new row; 'd': the old one; 'u': the old, then the new one
 * An image is a number whose bit k tells that column k is as in the image before it in the same
 * table (for the new image of 'u': as in the old one), then the other columns: an octet 0 (null),
 * 1 and the integer (zigzag), 2 or 3 (text, blob), how many octets it begins with that the value
 * of the image before has as well, how many follow, and those. A number is 7 bits an octet, the
 * lowest first, the top bit set but in the last. The digest of a journal is SHA-256 over its parts,
 * each behind its length in 8 octets, the highest first. */
#pragma once
#include "base/buf.h"
#include "store/sql.h"

#define SEK_JOURNAL_PART 65536 /* octets after which a part ends */
#define SEK_JOURNAL_COLUMNS 16 /* most a table has here */
#define SEK_JOURNAL_TABLES 32  /* ids, as bits of a word */
#define SEK_JOURNAL_DIGEST 32

enum sek__cell_type { SEK_CELL_NULL, SEK_CELL_INT, SEK_CELL_TEXT, SEK_CELL_BLOB };

struct sek__cell {
    uint8_t type; /* enum sek__cell_type */
    int64_t n;    /* INT */
    const uint8_t *data;
    uint32_t len; /* TEXT, BLOB: octets, no terminator */
};

/* Borrows from the value. */
struct sek__cell sek__cell_of(sqlite3_value *v);

/* Names of lists and of groups (a group's is its list's) by their id, as far as a journal tells
 * them. */
struct sek__list_names;

struct sek__journal_table {
    unsigned id; /* in the data: never another table's */
    const char *name;
    const char *columns[SEK_JOURNAL_COLUMNS + 1]; /* the key first; ends with NULL */
    unsigned n_key;
    /* Columns that were there at first; what was noted before lacks the later ones, whose values
     * are then ''. 0: all. */
    unsigned n_first;
    /* What a row is about ("local-block evil.example"), and what it says of that. */
    void (*object)(const struct sek__cell *row, const struct sek__list_names *lists,
                   struct sek_buf *out);
    void (*says)(const struct sek__cell *row, struct sek_buf *out);
};
/* THE tables whose changes are audited; ends with name NULL. */
extern const struct sek__journal_table sek__journal_tables[];
const struct sek__journal_table *sek__journal_table(unsigned id);
unsigned sek__journal_n_columns(const struct sek__journal_table *t);
/* SQL about one row, by its key ?1…: 'g' get all columns, 'd' delete; 'p' put, all columns ?1…. */
void sek__journal_sql(const struct sek__journal_table *t, char kind, struct sek_buf *out);
/* Is a column noted only where it is not ''? */
static inline bool sek__journal_is_late(const struct sek__journal_table *t, unsigned column)
{
    return t->n_first && column >= t->n_first;
}
#define SEK_JOURNAL_LIST 1      /* id of table list */
#define SEK_JOURNAL_ENTRY 2     /* of table entry */
#define SEK_JOURNAL_GROUP 5     /* of table client_group: id, list */
#define SEK_JOURNAL_MEMBER 6    /* of table member: client_group */
#define SEK_JOURNAL_EXCEPTION 7 /* of table exception */
#define SEK_JOURNAL_STEP 8      /* of table exception_step */
#define SEK_JOURNAL_FEED 9      /* of table feed */
#define SEK_JOURNAL_SOURCE 1    /* first of its columns kind, source, zone */
#define SEK_JOURNAL_FORMAT 6    /* a column of it */
#define SEK_JOURNAL_TERMS 8     /* column of table entry */
#define SEK_JOURNAL_INCIDENT 21 /* id of table incident */
/* The list's name, or NULL. */
const char *sek__list_name(const struct sek__list_names *lists, int64_t id);
const char *sek__group_name(const struct sek__list_names *lists, int64_t group);

struct sek_journal;
struct sek__rowsums;

/* Begin to note what this connection changes; outside of a transaction. max_octets: data past it
 * is not kept, only counted and digested. */
enum sek_err sek__journal_new(sqlite3 *db, size_t max_octets, struct sek_journal **out,
                              struct sek_diag *diag);
void sek__journal_free(struct sek_journal *j);
/* Forget what was noted. NULL is fine. */
void sek__journal_reset(struct sek_journal *j);
/* Housekeeping is no change; only the sums of rows follow it. NULL is fine. */
void sek__journal_pause(struct sek_journal *j, bool pause);

/* What was noted, after sek__journal_end. */
struct sek__journal_sum {
    uint64_t n;             /* records of changes */
    uint64_t n_old, n_new;  /* rows before and after */
    uint32_t tables;        /* bit: id of a table that changed */
    bool kept;              /* the data is there */
    const uint8_t *data;    /* parts; of one that is not kept the first */
    const size_t *part_end; /* where each ends in it */
    size_t n_parts;
    uint8_t digest[SEK_JOURNAL_DIGEST];
    const struct sek__rowsums *rows; /* by how much what the tables hold changed (store/rowsums.h),
                                        with housekeeping */
};
/* NOMEM when something could not be noted: then the transaction must not be committed. */
enum sek_err sek__journal_end(struct sek_journal *j, struct sek__journal_sum *out,
                              struct sek_diag *diag);
/* As far as it is now: whether anything changed, in which tables. */
uint32_t sek__journal_tables_changed(const struct sek_journal *j);

/* --- reading ------------------------------------------------------------------------------------
 */

struct sek__change {
    uint8_t op; /* 'i' 'd' 'u' 'n' */
    const struct sek__journal_table *table;
    const struct sek__cell *old, *fresh; /* NULL where there is none */
};

/* A part, unpacked; it borrows from the part's octets. */
struct sek__changes {
    struct sek__change *all;
    size_t n, room;
    void *blocks; /* memory of cells */
};
/* CORRUPT, NOMEM; *out is to be freed in either case. */
enum sek_err sek__changes_read(const uint8_t *part, size_t len, struct sek__changes *out,
                               struct sek_diag *diag);
void sek__changes_free(struct sek__changes *c);

bool sek__cells_equal(const struct sek__cell *a, const struct sek__cell *b, unsigned n);
/* Collect the names that 'n' records and rows of lists and groups tell. NOMEM. */
enum sek_err sek__list_names_add(struct sek__list_names **names, const struct sek__changes *c);
void sek__list_names_free(struct sek__list_names *names);
