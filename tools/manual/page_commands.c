/* SPDX-License-Identifier: BSD-3-Clause */
#include "pages.h"
#include "roff.h"
#include "tools/command.h"
#include "tools/help.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

static void options(const struct sek_arg *rows)
{
    for (unsigned i = 0; i < sek_args_count(rows); i++) {
        char text[160];
        sek_help_option(&rows[i], text, sizeof text);
        sek_roff_tag(text + strspn(text, " "));
        sek_roff_line(rows[i].help);
    }
}

static void examples(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), command = strcspn(text, "\t\n");
        puts(".TP");
        fputs(".B ", stdout);
        sek_roff(text, command);
        putchar('\n');
        if (command < n)
            sek_roff(text + command + 1, n - command - 1);
        putchar('\n');
        text += n + (text[n] == '\n');
    }
}

static void commands(void)
{
    puts(".SH COMMANDS");
    for (const struct sek_command *c = sek_commands; c->words; c++) {
        char text[200];
        snprintf(text, sizeof text, "sekisho %s%s%s%s", c->words,
                 sek_args_count(c->rows) ? " [options]" : "", *c->args ? " " : "", c->args);
        sek_roff_macro(".SS", text);
        sek_roff_line(*c->about ? c->about : c->help);
        options(c->rows);
        examples(c->examples);
    }
}

void sek_page_commands(void)
{
    puts(".\\\" Printed by: sekisho manual\n"
         ".TH SEKISHO 8 \"\" \"sekisho " SEK_VERSION "\" \"System administration\"\n"
         ".nh\n.ad l\n"
         ".SH NAME\nsekisho \\- policy and reports of the Sekisho module for Unbound\n"
         ".SH SYNOPSIS\n.B sekisho\n[options] COMMAND [arguments]\n"
         ".SH DESCRIPTION");
    sek_roff_line(
        "sekisho manages the names that an Unbound resolver with the Sekisho module blocks, "
        "records or "
        "allows, and reports which endpoints asked for them. Policy is kept in a database that "
        "only "
        "this command writes; the module reads a compiled copy. What happened is kept in another "
        "database that only the module writes.");
    puts(".PP");
    sek_roff_line(
        "Names are written in list notation: example.com is that name and all below it, "
        "=example.com "
        "exactly that name, *.example.com only what is below. Internationalised names may be "
        "written "
        "in either form. Life times are written as 30m, 8h, 3d, 2w; times as 2h, -2h or "
        "2 hours ago, today, yesterday 18:00, 06:17 (of today), monday (the latest one), last "
        "monday, this week, last month, 2026-11-23, 2026-11-23T06:17:00, also with Z or an offset "
        "such as +09:00, or @1795414620 (Unix time). Days, and times that do not say their zone, "
        "are those of the zone that TZ in the environment names, of UTC without it. All times "
        "that are printed are UTC. A lone - stands for standard input.");
    puts(".SH OPTIONS");
    sek_roff_line("These work with every command, before or after it.");
    options(sek_global_args);
    commands();
    puts(".SH FILES");
    puts(".TP\n.B " SEK_CONF_PATH "\nsettings, where neither \\-\\-config nor SEKISHO_CONF names "
         "others; a missing file means defaults; see\n.BR sekisho.yaml (5)");
    puts(".SH ENVIRONMENT\n.TP\n.B SEKISHO_CONF\npath of the settings file; the module reads it "
         "too\n"
         ".TP\n.B NO_COLOR\nno colour when set to anything\n"
         ".TP\n.B TZ\nzone of days, and of times on the command line that do not say theirs, such "
         "as Asia/Tokyo; without it UTC, whatever the zone of the machine. What is printed stays "
         "in UTC, and what is kept by the day is of days in UTC");
    puts(
        ".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nfailed, or check found a fault\n"
        ".TP\n.B 2\nwrong use, or nothing was found\n.TP\n.B 3\nthe resolver is not "
        "running, and what was asked for is about it or waits for it (status, forget, nod import). "
        "A change of the\npolicy needs none: it is done, with status 0, and in force from the "
        "resolver's next start, as a line on\nstandard error says");
    puts(".SH SEE ALSO\n.BR sekisho.yaml (5),\n.BR sekisho\\-lists (5),\n"
         ".BR sekisho\\-events (5),\n.BR sekisho\\-tuning (7),\n.BR unbound (8),\n.BR unbound.conf "
         "(5),\n.BR unbound\\-control (8)");
}
