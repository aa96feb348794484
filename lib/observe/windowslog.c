/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/windowslog.h"
#include "observe/logtime.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define PACKET " PACKET "

bool sek_windowslog_is(struct sek_windowslog *w, const char *line)
{
    static const char *const heads[] = {"DNS Server log file creation at ", "Log file wrap at ",
                                        "Message logging key "};
    const char *packet = strstr(line, PACKET);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        w->is_one = w->is_one || strncmp(line, heads[i], strlen(heads[i])) == 0;
    w->is_one = w->is_one || (packet && (strstr(packet, " Rcv ") || strstr(packet, " Snd ")) &&
                              strchr(packet, '['));
    return w->is_one;
}

/* --- time --------------------------------------------------------------------------------------
 */

/* 1 to `most` digits. *out_n: how many. */
static bool take_number(const char **p, unsigned most, int *out, unsigned *out_n)
{
    unsigned n = 0;
    *out = 0;
    for (; n < most && **p >= '0' && **p <= '9'; n++, ++*p)
        *out = *out * 10 + (**p - '0');
    if (out_n)
        *out_n = n;
    return n > 0;
}

/* hh:mm:ss, with AM or PM behind or without. */
static bool take_clock(const char **p, struct tm *t, bool *out_half)
{
    if (!take_number(p, 2, &t->tm_hour, NULL) || *(*p)++ != ':' ||
        !take_number(p, 2, &t->tm_min, NULL) || *(*p)++ != ':' ||
        !take_number(p, 2, &t->tm_sec, NULL))
        return false;
    bool pm = strncmp(*p, " PM", 3) == 0;
    *out_half = pm || strncmp(*p, " AM", 3) == 0;
    if (*out_half) {
        if (t->tm_hour < 1 || t->tm_hour > 12)
            return false;
        t->tm_hour = t->tm_hour % 12 + (pm ? 12 : 0);
        *p += 3;
    }
    return t->tm_hour < 24 && t->tm_min < 60 && t->tm_sec <= 60;
}

/* Three numbers as they stand, into day, month and year. */
static void order_date(struct sek_windowslog *w, const int part[3], char mark, bool half,
                       struct tm *t)
{
    bool day_first = mark != '/';
    if (part[0] > 999 || part[0] == 0) { /* the year */
        *t = (struct tm){.tm_year = part[0], .tm_mon = part[1], .tm_mday = part[2]};
        return;
    }
    if (mark == '/') {
        w->day_first = w->day_first || part[0] > 12;
        w->month_first = w->month_first || part[1] > 12;
        day_first = w->day_first || (!w->month_first && !half);
    }
    t->tm_mday = part[!day_first];
    t->tm_mon = part[day_first];
    t->tm_year = part[2] < 100 ? part[2] + 2000 : part[2];
}

static bool take_time(struct sek_windowslog *w, const char **p, int64_t *out_s)
{
    int part[3];
    unsigned n;
    struct tm t = {0}, clock = {0};
    bool half = false;
    char mark = '-';
    if (!take_number(p, 8, &part[0], &n))
        return false;
    if (n == 8) { /* 20261120 */
        part[2] = part[0] % 100;
        part[1] = part[0] / 100 % 100;
        part[0] /= 10000;
    } else {
        mark = **p;
        if (!mark || !strchr("/.-", mark))
            return false;
        ++*p;
        if (!take_number(p, 2, &part[1], NULL) || *(*p)++ != mark ||
            !take_number(p, 4, &part[2], NULL))
            return false;
    }
    *p += strspn(*p, " ");
    if (!take_clock(p, &clock, &half))
        return false;
    order_date(w, part, mark, half, &t);
    return sek_logtime_unix(t.tm_year, t.tm_mon, t.tm_mday, clock, out_s);
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* The next word; "" at the end. */
static void take_word(const char **p, char *out, size_t size)
{
    *p += strspn(*p, " \t");
    size_t n = strcspn(*p, " \t");
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), *p);
    *p += n;
}

/* "(3)www(7)example(0)" */
static bool name_of(const char *text, struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX];
    size_t at = 0;
    for (;;) {
        int len;
        if (*text++ != '(' || !take_number(&text, 2, &len, NULL) || *text++ != ')' ||
            len > SEK_LABEL_MAX || at + 1 + (size_t)len > sizeof wire ||
            strnlen(text, (size_t)len) < (size_t)len)
            return false;
        wire[at++] = (uint8_t)len;
        if (len == 0)
            return sek_name_from_wire(wire, at, out) == SEK_OK;
        memcpy(wire + at, text, (size_t)len);
        at += (size_t)len;
        text += len;
    }
}

/* "  R Q [8085 A DR  NOERROR] A      (3)www(0)": response, kind, flags, type, name. */
static int read_question(const char *p, struct sek_windowslog_packet *out, struct sek_diag *diag)
{
    char word[16];
    const char *close = strchr(p, ']');
    take_word(&p, word, sizeof word);
    out->response = strcmp(word, "R") == 0;
    if (out->response)
        take_word(&p, word, sizeof word);
    if (strcmp(word, "Q") != 0)
        return 0; /* a notification, an update */
    p += strspn(p, " \t");
    if (*p != '[' || !close)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "a packet without its flags");
    const char *rcode = close;
    while (rcode > p + 1 && rcode[-1] != ' ' && rcode[-1] != '[')
        rcode--;
    snprintf(out->rcode, sizeof out->rcode, "%.*s", (int)(close - rcode < 15 ? close - rcode : 15),
             rcode);
    p = close + 1;
    take_word(&p, out->type, sizeof out->type);
    p += strspn(p, " \t");
    return name_of(p, &out->name) ? 1
                                  : (int)sek_diag_set(diag, SEK_E_INVALID,
                                                      "\"%.60s\" is no name such as (3)www(0)", p);
}

int sek_windowslog_line(struct sek_windowslog *w, const char *line,
                        struct sek_windowslog_packet *out, struct sek_diag *diag)
{
    char word[SEK_ADDR_TEXT_MAX];
    const char *p = strstr(line, PACKET), *begin = line;
    if (!sek_windowslog_is(w, line) || !p || *line == ' ' || *line == '\t')
        return 0;
    if (!take_time(w, &begin, &out->time_s))
        return (int)sek_diag_set(diag, SEK_E_INVALID, "does not begin with a time");
    p += strlen(PACKET);
    take_word(&p, word, sizeof word);
    if (strcmp(word, "UDP") != 0 && strcmp(word, "TCP") != 0) /* the packet's number */
        take_word(&p, word, sizeof word);
    if (strcmp(word, "UDP") != 0 && strcmp(word, "TCP") != 0)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "\"%.20s\" is neither UDP nor TCP", word);
    take_word(&p, word, sizeof word);
    out->received = strcmp(word, "Rcv") == 0;
    if (!out->received && strcmp(word, "Snd") != 0)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "\"%.20s\" is neither Rcv nor Snd", word);
    take_word(&p, word, sizeof word);
    if (sek_addr_from_text(word, &out->peer, NULL))
        return (int)sek_diag_set(diag, SEK_E_INVALID, "\"%.45s\" is no address", word);
    take_word(&p, word, sizeof word); /* the message's id */
    return read_question(p, out, diag);
}
