/* SPDX-License-Identifier: BSD-3-Clause */
#include "pages.h"
#include "roff.h"
#include "tools/siem/format.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

static const struct sek_lookup type_names[] = {
    {SEK_SIEM_TEXT, "text"},
    {SEK_SIEM_INT, "number"},
    {SEK_SIEM_REAL, "decimal"},
    {SEK_SIEM_FLAG, "flag"},
    {SEK_SIEM_TIME, "time"},
    {SEK_SIEM_JSON, "JSON value"},
    {0, NULL},
};

static void add(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? ", " : "", text);
}

/* "hit, finding" */
static void kinds_text(unsigned kinds, char *out, size_t size)
{
    *out = '\0';
    for (const struct sek_lookup *k = sek_siem_kind_names; k->name; k++)
        if (kinds & (unsigned)k->id)
            add(out, size, k->name);
}

/* Where a field stands in a format: "dns.question.name (hit)". */
static void places(enum sek_siem_format format, unsigned field)
{
    char text[400] = "";
    for (const struct sek_siem_place *p = sek_siem_places(format); p->path; p++) {
        char one[160], kinds[40];
        if (p->field != (int)field)
            continue;
        kinds_text(p->kinds, kinds, sizeof kinds);
        bool all = p->kinds == sek_siem_fields[field].kinds;
        snprintf(one, sizeof one, "%s%s%s%s", p->path, all ? "" : " (", all ? "" : kinds,
                 all ? "" : ")");
        add(text, sizeof text, one);
    }
    if (!*text)
        return;
    puts(".br");
    char name[16];
    snprintf(name, sizeof name, "%s",
             format == SEK_SIEM_ECS    ? "ECS"
             : format == SEK_SIEM_OCSF ? "OCSF"
                                       : "CEF");
    printf("%s: ", name);
    sek_roff_line(text);
}

static void fields(void)
{
    puts(".SH FIELDS");
    sek_roff_line(
        "Their names in jsonl, and as parameters of the structured data in rfc5424, which "
        "leaves message out, as it is the message. A field without a value is left out.");
    for (unsigned f = 0; f < SEK_N_FIELDS; f++) {
        const struct sek_siem_field_info *info = &sek_siem_fields[f];
        char kinds[40];
        if (!*info->name)
            continue;
        sek_roff_tag(info->name);
        sek_roff_line(info->help);
        puts(".br");
        kinds_text(info->kinds, kinds, sizeof kinds);
        printf("Of: %s; %s\n", info->kinds == SEK_SIEM_ALL ? "all" : kinds,
               sek_lookup_name(type_names, (int)info->type));
        places(SEK_SIEM_ECS, f);
        places(SEK_SIEM_OCSF, f);
        places(SEK_SIEM_CEF, f);
    }
}

static void constants(enum sek_siem_format format, const char *title)
{
    sek_roff_macro(".SS", title);
    for (const struct sek_siem_place *p = sek_siem_places(format); p->path; p++) {
        char kinds[40];
        if (p->field >= 0)
            continue;
        sek_roff_tag(p->path);
        kinds_text(p->kinds, kinds, sizeof kinds);
        sek_roff(p->fixed, strlen(p->fixed));
        printf("%s%s\n",
               p->kinds == SEK_SIEM_ALL ? "" : ", of: ", p->kinds == SEK_SIEM_ALL ? "" : kinds);
    }
}

static void formats(void)
{
    puts(".SH FORMATS");
    sek_roff_tag("jsonl");
    sek_roff_line(
        "One JSON object a line (RFC 8259). Times are ISO 8601 in UTC with milliseconds.");
    sek_roff_tag("ecs");
    sek_roff_line(
        "Elastic Common Schema 8.11, one JSON object a line. event.kind is alert for a "
        "finding, else event; event.type has denied for what was blocked. What ECS has no "
        "field for stands in sekisho.*.");
    sek_roff_tag("ocsf");
    sek_roff_line("Open Cybersecurity Schema Framework 1.3: a hit is DNS Activity (4003, activity "
                  "Query) with the profile security_control, a finding Detection Finding (2004, "
                  "Create, then Update), a change Entity Management (3004). Times are milliseconds "
                  "since 1970. What a class has no attribute for stands in unmapped.");
    sek_roff_tag("cef");
    sek_roff_line(
        "ArcSight Common Event Format, version 0: CEF:0|Sekisho|sekisho|version|kind|title"
        "|severity|extension. In its head | and \\ are escaped by \\, in the extension = "
        "and \\.");
    sek_roff_tag("rfc5424");
    sek_roff_line(
        "Syslog with structured data, facility local0; the SD-ID is " SEK_SIEM_SD_ID
        ", whose number IANA keeps for documentation (RFC 5612). The severity is Error from "
        "8 on, Warning from 6, Notice from 4, else Informational. The message is UTF-8 "
        "and begins with a byte order mark.");
    puts(".PP");
    sek_roff_line("Sent by --syslog, lines of the other formats get a head of RFC 5424 without "
                  "structured data. To HOST:PORT each message has its length in front (RFC 6587, "
                  "octet counting); TLS is a matter of stunnel, or of a local log daemon.");
    puts(".PP");
    sek_roff_line("Characters that drive or deceive a terminal, and octets that are no UTF-8, are "
                  "written as \\xNN or \\u{NNNN} in cef and rfc5424, and as \\uNNNN in JSON. So an "
                  "event is one line, whatever a name, a reason or a command line holds.");
    puts(".SH CONSTANTS");
    constants(SEK_SIEM_ECS, "ECS");
    constants(SEK_SIEM_OCSF, "OCSF");
}

static void delivery(void)
{
    puts(".SH DELIVERY");
    sek_roff_line(
        "A hit sums up the queries of one endpoint for one name and type by one rule in one "
        "minute. It is handed on half a minute after that minute, when nothing can be "
        "added any more. A finding is handed on when it is made, and again when it grew, "
        "every five seconds at most: the same id, a higher revision. A change is a row of "
        "the audit trail.");
    puts(".PP");
    sek_roff_line("With --cursor FILE nothing is lost and nothing is passed over, whenever a run "
                  "ends. Events are written first, on disk where it is a file, then the cursor is "
                  "replaced. A run that is killed in between leaves events that come again: in a "
                  "file of --output they are cut off first, also when it was renamed within its "
                  "folder meanwhile, so that each is there exactly once. A file that was moved "
                  "elsewhere or compressed in that very moment, standard output and syslog may "
                  "hold them twice: the receiver drops the second of two events with one id "
                  "(Elasticsearch: _id from event.id), or of findings keeps the one with the "
                  "highest revision. A cursor serves one run at a time.");
    puts(".PP");
    sek_roff_line(
        "Another events.db, or an older state of it from a backup, is noticed: its events "
        "are handed on from the first, with the ids that they had. What was deleted by "
        "retention before a run came to it is not handed on.");
    puts(".SH VERSIONS");
    sek_roff_line("schema is " SEK_SIEM_SCHEMA
                  ". Fields may be added at any time; the number grows "
                  "when one goes or means something else.");
}

void sek_page_events(void)
{
    puts(".\\\" Printed by: sekisho manual events\n"
         ".TH SEKISHO\\-EVENTS 5 \"\" \"sekisho " SEK_VERSION "\" \"File formats\"\n"
         ".nh\n.ad l\n"
         ".SH NAME\nsekisho\\-events \\- what sekisho events hands on to other systems\n"
         ".SH SYNOPSIS\n.B sekisho events\n[options]\n.SH DESCRIPTION");
    sek_roff_line(
        "sekisho events prints hits (queries that met a rule), findings of detectors and "
        "changes of policy, each as one line, in one of the formats below. sekisho(8) has "
        "its options.");
    sek_roff_block("sekisho events --follow --format ecs --output /var/log/sekisho/events.json \\\n"
                   "    --cursor /var/lib/sekisho/ecs.cursor\n");
    delivery();
    formats();
    fields();
    puts(".SH SEE ALSO\n.BR sekisho (8),\n.BR sekisho.yaml (5)");
}
