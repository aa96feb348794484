/* SPDX-License-Identifier: BSD-3-Clause */
#include "connections.h"
#include "observe/logtime.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define COLUMNS_MAX 64

enum sek_err sek_connection_columns_from_text(const char *text, struct sek_connection_columns *out,
                                              struct sek_diag *diag)
{
    unsigned n[3];
    const char *p = text;
    for (unsigned i = 0; i < 3; i++) {
        char *end;
        unsigned long v = strtoul(p, &end, 10);
        if (end == p || *p == '-' || v < 1 || v > COLUMNS_MAX || *end != (i < 2 ? ',' : '\0'))
            return sek_diag_set(diag, SEK_E_INVALID,
                                "\"%.60s\" is not three columns of 1 to %d, such as 1,3,5: time, "
                                "source, destination",
                                text, COLUMNS_MAX);
        n[i] = (unsigned)v;
        p = end + 1;
    }
    *out = (struct sek_connection_columns){n[0], n[1], n[2]};
    return SEK_OK;
}

/* --- lines -------------------------------------------------------------------------------------
 */

static const char *separators_of(const char *line)
{
    static const char *const all[] = {"\t", ";", ","};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strchr(line, *all[i]))
            return all[i];
    return " ";
}

/* Without blanks and quotes around it. */
static char *trim(char *s)
{
    s += strspn(s, " \"'");
    size_t len = strlen(s);
    while (len && strchr(" \"'\r", s[len - 1]))
        s[--len] = '\0';
    return s;
}

static unsigned split(char *line, char *out[COLUMNS_MAX])
{
    const char *separators = separators_of(line);
    bool blanks = *separators == ' ';
    unsigned n = 0;
    for (char *p = line; p && n < COLUMNS_MAX;) {
        char *field = blanks ? p + strspn(p, " ") : p;
        if (blanks && !*field)
            break;
        p = field;
        strsep(&p, separators);
        out[n++] = trim(field);
    }
    return n;
}

/* "192.0.2.1:443" and "[2001:db8::1]:443" lose the port, "fe80::1%eth0" its scope. */
static void cut_port(char *text)
{
    char *colon = strchr(text, ':');
    if (*text == '[') {
        size_t len = strcspn(text, "]");
        memmove(text, text + 1, len);
        text[len ? len - 1 : 0] = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    text[strcspn(text, "%")] = '\0';
}

static enum sek_err take_addr(char *const *fields, unsigned n, unsigned column, const char *what,
                              struct sek_addr *out, struct sek_diag *diag)
{
    if (column > n)
        return sek_diag_set(diag, SEK_E_INVALID, "no column %u for the %s", column, what);
    cut_port(fields[column - 1]);
    if (sek_addr_from_text(fields[column - 1], out, NULL))
        return sek_diag_set(diag, SEK_E_INVALID, "%s \"%.60s\" is no address", what,
                            fields[column - 1]);
    return SEK_OK;
}

enum sek_err sek_connection_from_line(char *line, const struct sek_connection_columns *columns,
                                      int64_t now_s, struct sek_connection *out,
                                      struct sek_diag *diag)
{
    char *fields[COLUMNS_MAX];
    struct sek_connection c;
    unsigned n = split(line, fields);
    const char *time = columns->time <= n ? fields[columns->time - 1] : "";
    if (!sek_logtime_take(&time, now_s, &c.time_s))
        return sek_diag_set(diag, SEK_E_INVALID, "no time in column %u", columns->time);
    enum sek_err err = take_addr(fields, n, columns->source, "source", &c.source, diag);
    if (!err)
        err = take_addr(fields, n, columns->destination, "destination", &c.destination, diag);
    if (!err)
        *out = c;
    return err;
}

/* --- addresses ---------------------------------------------------------------------------------
 */

struct net {
    uint8_t len, octets[4]; /* bits */
};

static bool is_in(const uint8_t *address, const struct net *nets, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned whole = nets[i].len / 8, rest = nets[i].len % 8;
        uint8_t mask = (uint8_t)(0xff00 >> rest);
        if (memcmp(address, nets[i].octets, whole) == 0 &&
            (rest == 0 || (address[whole] & mask) == nets[i].octets[whole]))
            return true;
    }
    return false;
}

bool sek_connection_is_global(const struct sek_addr *a)
{
    static const struct net v4[] = {
        {8, {0}},        {8, {10}},        {10, {100, 64}}, {8, {127}}, {16, {169, 254}},
        {12, {172, 16}}, {16, {192, 168}}, {4, {224}},      {4, {240}},
    };
    static const struct net v6[] = {{7, {0xfc}}, {10, {0xfe, 0x80}}, {8, {0xff}}};
    static const uint8_t zero[15];
    if (sek_addr_is_v4(a))
        return !is_in(a->octets + 12, v4, sizeof v4 / sizeof v4[0]);
    return memcmp(a->octets, zero, sizeof zero) != 0 &&
           !is_in(a->octets, v6, sizeof v6 / sizeof v6[0]);
}
