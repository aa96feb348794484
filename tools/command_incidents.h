/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of `incident …` and what goes with it in THE table of commands (command.h), for
 * command.c only. */
#pragma once

#define INCIDENT_COMMANDS(X)                                                                       \
    X(incident_open, "incident open", "", "begin to look into something",                          \
      "Notes what is looked into: the endpoint and registered domain of a hit, endpoints, "        \
      "domains. "                                                                                  \
      "Others see it in incident list; all that is done is in the audit trail and can be undone.", \
      "sekisho incident open --hit 5d0c1a9e --title 'laptop of sales asks for a C&C'\tfrom a "     \
      "hit\n"                                                                                      \
      "sekisho incident open -e laptop-7 -d evil.example --title 'case 17'\tby name")              \
    X(incident_add, "incident add", "ID", "look into more endpoints and domains with it",          \
      "What scope showed, or what came to light otherwise. An incident that was contained is "     \
      "open again "                                                                                \
      "until contain is applied to what is new.",                                                  \
      "sekisho incident add 3 -e 192.0.2.9 -d kin.example --note 'from scope'\twhat else is "      \
      "affected")                                                                                  \
    X(incident_list, "incident list", "", "show incidents, and closed ones that recur",            \
      "Shows incidents that are open or contained, and closed ones of which an endpoint or "       \
      "domain "                                                                                    \
      "has new hits or findings since; one that concerns both counts for each.",                   \
      "sekisho incident list\twhat is going on?\nsekisho incident list --all -f csv\tall there "   \
      "ever "                                                                                      \
      "were")                                                                                      \
    X(incident_show, "incident show", "ID", "show an incident with its notes", "",                 \
      "sekisho incident show 3\twhat was done?")                                                   \
    X(incident_note, "incident note", "ID TEXT", "note something with an incident", "",            \
      "sekisho incident note 3 'called the owner, machine is off'\tfor the others")                \
    X(incident_scope, "incident scope", "ID", "show how far an incident reaches",                  \
      "Shows the endpoints that asked for its domains, that have hits of the same names, that a "  \
      "detector found with the same pattern (kind of generated names, suspected domain), and "     \
      "those "                                                                                     \
      "that asked for neighbours: other domains with the same address on the same day, where "     \
      "that "                                                                                      \
      "serves at most ten.",                                                                       \
      "sekisho incident scope 3\twho else?\nsekisho incident scope 3 --since 90d -f "              \
      "json\tfarther "                                                                             \
      "back")                                                                                      \
    X(incident_contain, "incident contain", "ID", "propose, or apply, blocks and quarantine",      \
      "Proposes to block the incident's domains and to quarantine its endpoints, with what each "  \
      "would affect. On a terminal it asks, elsewhere --apply does it: as one change, which one "  \
      "undo takes back. What is in force already stays as it is.",                                 \
      "sekisho incident contain 3\twhat would it take?\nsekisho incident contain 3 --only block "  \
      "--apply\tnames only, at once")                                                              \
    X(incident_evidence, "incident evidence", "ID PATH", "collect an incident's evidence",         \
      "Writes hits, findings, traffic, endpoints, domains, settings, lists and the audit trail "   \
      "into "                                                                                      \
      "a folder PATH, or into a tar file if PATH ends in .tar, with a README that says what each " \
      "file is and how it was made, and SHA-256 digests of all. Captures and dnstap files that "   \
      "you keep (--packets, or incident.packets; those written since the period began) give "      \
      "their "                                                                                     \
      "packets of its endpoints and about its domains. Whole or not at all; only the owner may "   \
      "read it. PATH must not exist.",                                                             \
      "sekisho incident evidence 3 case-3.tar\tfor a third party\nsekisho incident evidence 3 "    \
      "/srv/cases/3 --since 90d\ta folder\nsekisho incident evidence 3 case-3.tar --packets "      \
      "'/var/log/dns/*.pcap'\twith packets of a ring of captures")                                 \
    X(incident_close, "incident close", "ID", "end an incident",                                   \
      "For 90 days incident list and status tell if its endpoints or domains have new hits or "    \
      "findings.",                                                                                 \
      "sekisho incident close 3 --reason 'machine was set up anew'\tdone")                         \
    X(incident_reopen, "incident reopen", "ID", "take up a closed incident again",                 \
      "It is open as before; who closed it, when and why stays with its notes.",                   \
      "sekisho incident reopen 3 --reason 'asks again since monday'\tit was not over")             \
    X(packets, "packets", "FILE...", "cut DNS packets of endpoints and domains out of captures",   \
      "Writes the DNS packets (port 53) of endpoints, and about names, out of captures (pcap, "    \
      "pcapng) or dnstap files, gzip or not, to standard output: whole and untouched, with their " \
      "times, in a file of the same kind and link type (of pcapng: pcap). Over TCP, and of "       \
      "datagrams in fragments, it takes all packets of the period that belong to one of which a "  \
      "message is wanted. Files are read twice: no standard input, no pipes. Several come in the " \
      "order of their first records and must be of one kind. A machine counts while it had the "   \
      "address. What cannot be read is told and the rest is written; the exit status is 1 then, "  \
      "and 2 if there are no such packets.",                                                       \
      "sekisho packets -e laptop-7 --since 2d /var/log/dns/*.pcap > laptop-7.pcap\tof a machine\n" \
      "sekisho packets -d evil.example ring.pcap.gz | tcpdump -nr -\tabout a name\n"               \
      "sekisho packets -e 192.0.2.7 -d evil.example --either dns.dnstap > case-3.dnstap\tof the "  \
      "one, and about the other")                                                                  \
    X(correlate, "correlate", "[FILE...]",                                                         \
      "hits beside the logs of proxies, firewalls and endpoints",                                  \
      "Reads outside logs, gzip or not, - for standard input, and prints one timeline an "         \
      "endpoint with its hits and connections. Of each hit it says what the logs tell "            \
      "within --window: connected (it came about, or was let through) to the name itself "         \
      "by a proxy or to an address that DNS gave for its domain; connected to the "                \
      "sinkhole; attempted (the log does not say what came of it), attempted, failed or "          \
      "attempted, denied; no connection; or outside the log, which is of another time or "         \
      "tells no connections. Of each connection it says whether DNS ever gave that "               \
      "address to that endpoint. Those it did not are programs with addresses built in, "          \
      "peer-to-peer, and those with a resolver of their own. Lines about questions to "            \
      "DNS are no connections: they stand beside the hit whose name they ask for. "                \
      "Answers are remembered by registered domain and day, questions by the minute, so "          \
      "a hit's connection is one to any address of its domain on those days. A map says "          \
      "which column is what; the installed ones are found out by themselves. Lines that "          \
      "make no sense are told with their number and skipped.",                                     \
      "sekisho correlate /var/log/squid/access.log\twhich hits went further?\n"                    \
      "sekisho correlate --with fw.log.gz --zone Asia/Tokyo --allow 203.0.113.0/24\ta firewall "   \
      "that "                                                                                      \
      "logs local time\n"                                                                          \
      "sekisho correlate conn.log -e 192.0.2.7 --all -f csv > timeline.csv\tall of one endpoint\n" \
      "sekisho correlate proxy.csv --with-map ours.yaml --clock-fast 40s\tcolumns of our own")     \
    X(domain, "domain", "NAME", "all that is known of a name and its registered domain",           \
      "Shows since when the registered domain is known here and who asked first, which endpoints " \
      "ask, where it led by day with life times, network and country (the databases of geo.asn "   \
      "and geo.country), other domains with the same addresses, its name servers with the number " \
      "of other domains seen there, those domains where a server has few of them (32), the lists " \
      "and exceptions that meet NAME, exceptions that people asked for, also those that wait or "  \
      "are over, its verdicts so far, and findings. What was only recorded "                       \
      "was let through. Answers are remembered by registered domain and day. Name servers are "    \
      "those that delegations and answers named "                                                  \
      "while endpoints asked; forwarders name none.",                                              \
      "sekisho domain www.example.com\twhat is it?\nsekisho domain example.com --limit 0 -f json " \
      "| jq "                                                                                      \
      ".neighbours\tall that share its addresses")
