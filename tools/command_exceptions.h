/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of `exception …` in THE table of commands (command.h), for command.c only. */
#pragma once

#define EXCEPTION_COMMANDS(X)                                                                      \
    X(exception_request, "exception request", "NAME...", "ask for names to be let through",        \
      "Asks for an exception, one for each NAME (list notation, - for standard input); somebody "  \
      "else approves it. It says for whom (--group, --endpoint; else for everybody), why, and "    \
      "until when: --lifetime counts from its start (default exceptions.lifetime), --until names " \
      "the end, --start the begin, --type and --schedule bind it further. One without end needs "  \
      "--unlimited, an --owner, and a review every year. Nothing "                                 \
      "is let through before it is approved.",                                                     \
      "sekisho exception request =pay.example --group finance --reason 'new payroll' --ticket "    \
      "CHG-77 --lifetime 14d\tfor a group\n"                                                       \
      "sekisho exception request cdn.example --endpoint 192.0.2.7 --reason test --lifetime 4h\t"   \
      "for one endpoint")                                                                          \
    X(exception_from_hit, "exception request-from-hit", "ID", "ask for what a hit refused",        \
      "Fills the request from a hit: its very name, for the endpoint that met it, unless options " \
      "say otherwise. ID is that of a decision, as hits and Extended DNS Errors show it, or of a " \
      "row.",                                                                                      \
      "sekisho exception request-from-hit 1f2e3d4c --reason 'needed for payroll'\tone step")       \
    X(exception_emergency, "exception emergency", "NAME...", "let names through at once",          \
      "Breaks the glass: in force without approval, for at most 4 hours. Reason and ticket are "   \
      "required. Status and lists shout until somebody else has reviewed it.",                     \
      "sekisho exception emergency =pay.example --reason 'salaries are stuck' --ticket INC-9\t"    \
      "at once")                                                                                   \
    X(exception_list, "exception list", "", "show exceptions and where they stand",                \
      "Requested, approved (to begin later), active, expiring, expired, rejected, revoked; "       \
      "archived ones with --all. Where one stands follows from the clock: nothing has to run.",    \
      "sekisho exception list --state requested\twhat is to be decided?\n"                         \
      "sekisho exception list --ending 3d --mine\twhat of mine ends soon?")                        \
    X(exception_show, "exception show", "ID", "show one with all that its approver wants to know", \
      "The request and its steps; which lists have the name and what decides now; how "            \
      "machine-made it looks; since when its domain is known here, where it led (network, "        \
      "country) and which other domains had that address; which endpoints were refused, and what " \
      "else the same rules guarded.",                                                              \
      "sekisho exception show 12\tbefore exception approve 12")                                    \
    X(exception_preview, "exception preview", "ID|NAME", "show what one would have let through",   \
      "Refused questions of the last 30 days, or --since, by endpoint; then the names that the "   \
      "rules behind them guarded, and which of those stay blocked.",                               \
      "sekisho exception preview pay.example --group finance\tbefore it is asked for")             \
    X(exception_approve, "exception approve", "ID...", "approve exceptions of others",             \
      "In force within a second of the command's return, and gone at their end with nothing run. " \
      "Who asked cannot approve, unless exceptions.four-eyes says otherwise. All of them, or "     \
      "none.",                                                                                     \
      "sekisho exception approve 12 --reason 'seen with the owner'\tas asked for\n"                \
      "sekisho exception approve 12 --lifetime 1d\tfor less time")                                 \
    X(exception_reject, "exception reject", "ID...", "reject requests, with a reason", "",         \
      "sekisho exception reject 12 --reason 'the vendor has another address'\t")                   \
    X(exception_revoke, "exception revoke", "ID...", "end exceptions, or take requests back",      \
      "Out of force when the command returns. One's own at any time; those of others are an "      \
      "approver's.",                                                                               \
      "sekisho exception revoke 12 --reason 'phishing after all'\t")                               \
    X(exception_reviewed, "exception reviewed", "ID...", "say that one was looked at, and stays",  \
      "Of an emergency: it is no longer shouted; by another person than made it. Of one without "  \
      "end: for another year.",                                                                    \
      "sekisho exception reviewed 12 --reason 'was right'\t")                                      \
    X(exception_review, "exception review", "[-]", "show which exceptions want a decision",        \
      "Emergencies without review, requests that nobody decided for three days, what ends soon, "  \
      "reviews that are due, unused ones, over-broad ones (a subtree of which one name was ever refused), owners who "   \
      "are gone, names that a list has since, and what no list names any more: with evidence and " \
      "the command to act. With - it takes decisions from standard input, one a line: approve, "   \
      "reject, revoke, reviewed or archive, a number, a note; all of them, or none.",              \
      "sekisho exception review --unused 14d\twhat can go?\n"                                      \
      "sekisho exception review --decisions > today; $EDITOR today; sekisho exception review - < " \
      "today\tmany at once")                                                                       \
    X(exception_archive, "exception archive", "[ID...]", "put away what is over",                  \
      "Expired, rejected and revoked ones; without ID all that have been over for --older. Kept "  \
      "for ever, shown with --all.",                                                               \
      "sekisho exception archive\twhat has been over for 30 days")                                 \
    X(exception_enforce, "exception enforce", "", "put the rules of exceptions right",             \
      "Exceptions begin and end by themselves. Of use where lists of exceptions were changed by "  \
      "hand, or a group came back: it makes the rules that are missing, takes those away that "    \
      "nobody approved, and gives back the groups of endpoints of those that are over.",           \
      "sekisho exception enforce --dry-run\twhat differs?")
