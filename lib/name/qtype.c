/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/qtype.h"
#include "base/lookup.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/banned.h"

static const struct sek_lookup names[] = {
    {1, "A"},         {2, "NS"},          {5, "CNAME"},       {6, "SOA"},     {10, "NULL"},
    {11, "WKS"},      {12, "PTR"},        {13, "HINFO"},      {14, "MINFO"},  {15, "MX"},
    {16, "TXT"},      {17, "RP"},         {18, "AFSDB"},      {19, "X25"},    {20, "ISDN"},
    {21, "RT"},       {22, "NSAP"},       {24, "SIG"},        {25, "KEY"},    {26, "PX"},
    {27, "GPOS"},     {28, "AAAA"},       {29, "LOC"},        {31, "EID"},    {32, "NIMLOC"},
    {33, "SRV"},      {34, "ATMA"},       {35, "NAPTR"},      {36, "KX"},     {37, "CERT"},
    {39, "DNAME"},    {41, "OPT"},        {42, "APL"},        {43, "DS"},     {44, "SSHFP"},
    {45, "IPSECKEY"}, {46, "RRSIG"},      {47, "NSEC"},       {48, "DNSKEY"}, {49, "DHCID"},
    {50, "NSEC3"},    {51, "NSEC3PARAM"}, {52, "TLSA"},       {53, "SMIMEA"}, {55, "HIP"},
    {59, "CDS"},      {60, "CDNSKEY"},    {61, "OPENPGPKEY"}, {62, "CSYNC"},  {63, "ZONEMD"},
    {64, "SVCB"},     {65, "HTTPS"},      {99, "SPF"},        {108, "EUI48"}, {109, "EUI64"},
    {249, "TKEY"},    {250, "TSIG"},      {251, "IXFR"},      {252, "AXFR"},  {255, "ANY"},
    {256, "URI"},     {257, "CAA"},       {32768, "TA"},      {32769, "DLV"}, {0, NULL}};

int sek_qtype_from_text(const char *text)
{
    for (const struct sek_lookup *l = names; l->name; l++)
        if (strcasecmp(l->name, text) == 0)
            return l->id;
    if (strncasecmp(text, "TYPE", 4) != 0 || text[4] < '0' || text[4] > '9')
        return -1;
    char *end = NULL;
    unsigned long n = strtoul(text + 4, &end, 10);
    return *end == '\0' && n >= 1 && n <= 65535 ? (int)n : -1;
}

const char *sek_qtype_to_text(int qtype, char *out, size_t size)
{
    const char *name = sek_lookup_name(names, qtype);
    if (*name == '?')
        snprintf(out, size, "TYPE%d", qtype);
    else
        snprintf(out, size, "%s", name);
    return out;
}
