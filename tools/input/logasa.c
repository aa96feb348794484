/* SPDX-License-Identifier: BSD-3-Clause */
#include "logasa.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* "inside:192.0.2.7/51514", "inside/192.0.2.7(51514)", ports or not, and what belongs to it in
 * brackets behind. */
struct place {
    char host[256], port[8];
};

static bool take_place(const char **p, char mark, struct place *out)
{
    *p += strspn(*p, " ");
    size_t len = strcspn(*p, " ");
    const char *name = memchr(*p, mark, len);
    if (!name)
        return false;
    const char *end = *p + len, *host = name + 1;
    size_t n = strcspn(host, mark == ':' ? "/( " : "( ");
    snprintf(out->host, sizeof out->host, "%.*s", (int)(n < 255 ? n : 255), host);
    out->port[0] = '\0';
    host += n;
    if (host < end && (*host == '/' || (mark == '/' && *host == '('))) {
        n = strspn(host + 1, "0123456789");
        snprintf(out->port, sizeof out->port, "%.*s", (int)(n < 7 ? n : 7), host + 1);
    }
    *p = end;
    while ((*p)[0] == ' ' && (*p)[1] == '(') { /* as translated, as whom */
        size_t skip = strcspn(*p, ")");
        *p += skip + ((*p)[skip] == ')');
    }
    return *out->host != '\0';
}

static bool take_text(const char **p, const char *text)
{
    const char *at = strstr(*p, text);
    if (at)
        *p = at + strlen(text);
    return at != NULL;
}

static int bad(const char *what, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_INVALID, "%s", what);
}

static void put(struct sek_logasa_line *out, const struct place *from, const struct place *to)
{
    snprintf(out->source, sizeof out->source, "%s", from->host);
    snprintf(out->destination, sizeof out->destination, "%s", to->host);
    snprintf(out->port, sizeof out->port, "%s", to->port);
}

/* "Built outbound TCP connection 7 for outside:… to inside:…": the far end stands first, whoever
 * opened it. */
static int read_connection(struct sek_logasa *a, const char *p, const char *id,
                           struct sek_logasa_line *out, struct sek_diag *diag)
{
    struct place far, near;
    char what[12] = "", direction[12] = "";
    bool built = strncmp(p, "Built ", 6) == 0;
    bool is = built ? sscanf(p, "Built %11s %11s", direction, what) == 2
                    : sscanf(p, "Teardown %11s", what) == 1;
    if (!is || !take_text(&p, " connection "))
        return bad("neither a built nor a torn down connection", diag);
    uint64_t number = strtoull(p, NULL, 10), *known = &a->inbound[number % SEK_LOGASA_INBOUND];
    if (!take_text(&p, " for ") || !take_place(&p, ':', &far) || !take_text(&p, " to ") ||
        !take_place(&p, ':', &near))
        return bad("a connection without its two ends", diag);
    bool inbound = built ? strcmp(direction, "inbound") == 0 : number && *known == number;
    if (built && inbound)
        *known = number;
    else if (!built && inbound)
        *known = 0;
    put(out, inbound ? &far : &near, inbound ? &near : &far);
    snprintf(out->action, sizeof out->action, "%s %s %s", id, built ? "Built" : "Teardown", what);
    snprintf(out->outcome, sizeof out->outcome, "%s", out->action);
    const char *duration = strstr(p, " duration "), *octets = strstr(p, " bytes ");
    if (built || !duration || !octets)
        return built ? 1 : bad("a torn down connection without duration and bytes", diag);
    int h = 0, m = 0, s = 0;
    if (sscanf(duration, " duration %d:%d:%d", &h, &m, &s) == 3)
        out->duration_s = (int64_t)h * 3600 + m * 60 + s;
    octets += strlen(" bytes ");
    bool none = strtoull(octets, NULL, 10) == 0 && !strstr(octets, "FIN");
    octets += strspn(octets, "0123456789");
    snprintf(out->outcome, sizeof out->outcome, "%s%s%.100s", out->action,
             none ? " without data" : "", octets);
    return 1;
}

/* "Deny tcp src inside:… dst outside:… by access-group …" */
static int read_deny(const char *p, const char *id, struct sek_logasa_line *out,
                     struct sek_diag *diag)
{
    struct place from, to;
    char what[12] = "";
    if (sscanf(p, "Deny %11s", what) != 1 || !take_text(&p, " src ") ||
        !take_place(&p, ':', &from) || !take_text(&p, " dst ") || !take_place(&p, ':', &to))
        return bad("a denied packet without its two ends", diag);
    put(out, &from, &to);
    snprintf(out->action, sizeof out->action, "%s Deny %s", id, what);
    snprintf(out->outcome, sizeof out->outcome, "%s", out->action);
    return 1;
}

/* "access-list inside_in denied tcp inside/192.0.2.7(51514) -> outside/203.0.113.66(443) hit-cnt …"
 */
static int read_list(const char *p, const char *id, struct sek_logasa_line *out,
                     struct sek_diag *diag)
{
    struct place from, to;
    char verdict[24] = "", what[12] = "";
    int n = 0;
    if (sscanf(p, "access-list %*s %23s %11s%n", verdict, what, &n) != 2 || !n)
        return bad("an access list without what it did", diag);
    p += n;
    if (!take_place(&p, '/', &from) || !take_text(&p, "->") || !take_place(&p, '/', &to))
        return bad("an access list's packet without its two ends", diag);
    put(out, &from, &to);
    snprintf(out->action, sizeof out->action, "%s %s %s", id, verdict, what);
    snprintf(out->outcome, sizeof out->outcome, "%s", out->action);
    return 1;
}

int sek_logasa_line(struct sek_logasa *a, const char *line, struct sek_logasa_line *out,
                    struct sek_diag *diag)
{
    const char *tag = strstr(line, "%ASA-");
    char id[8];
    *out = (struct sek_logasa_line){.duration_s = 0};
    tag = tag ? tag : strstr(line, "%FTD-");
    if (!tag || sscanf(tag + 5, "%*d-%7[0-9]:", id) != 1)
        return 0;
    const char *text = tag + strcspn(tag, ":"), *begin = line;
    text += *text == ':';
    text += strspn(text, " ");
    if (*begin == '<') {
        begin += strcspn(begin, ">");
        begin += *begin == '>';
    }
    begin += strspn(begin, ": *");
    snprintf(out->time, sizeof out->time, "%.*s", (int)(tag > begin ? tag - begin : 0), begin);
    long number = strtol(id, NULL, 10);
    if (number >= 302013 && number <= 302016)
        return read_connection(a, text, id, out, diag);
    if (number == 106023)
        return read_deny(text, id, out, diag);
    return number == 106100 ? read_list(text, id, out, diag) : 0;
}
