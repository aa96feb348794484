/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "tunnel": an endpoint sends data out in the names it asks for, or takes it in with the
 * answers. MITRE ATT&CK: Application Layer Protocol, DNS.
 *
 * Per endpoint and registered domain the new information of names (watch/payload.h) and, with less
 * weight, of their answers (watch/inbound.h) is summed over a minute, an hour and a day; a finding
 * from tunnel.minute, tunnel.hour or tunnel.day on. The hour and the day find what is too slow for
 * the minute: 0.7 octets a second are 60 kB a day, out or in.
 * Where more endpoints ask for a domain than domains.rare, it is likelier a service than a thief's:
 * then four times as much. Half as much where most questions are of types whose answers carry
 * data (TXT, NULL, CNAME, MX, SRV, KEY and the private ones): tunnels need the way back. A tunnel
 * that takes a fresh domain for each piece is seen by endpoint: names of 30 octets and more below
 * domains that are newly observed (domains.new) add up for all of them together, to twice the
 * thresholds, from 20 domains on; only when the history is past its warm-up.
 *
 * Left out: services that are asked by random names (watch/lookups.h), tunnel.exclude, reverse
 * zones, special-use names, and the zones under policy.never-block.
 *
 * Limits: less than tunnel.day gets out unseen; what the collector drops is not counted; what comes
 * in below one name that is asked again and again, or below names of services (_x), is not seen;
 * nor what uses names of up to three octets alone, unless their types carry data. */
#pragma once
#include "watch/detector.h"

#define SEK_TUNNEL_TECHNIQUE "T1071.004"
#define SEK_TUNNEL_COMMON 4       /* times as much where a domain is not rare */
#define SEK_TUNNEL_DATA 0.5f      /* times as much where types carry data */
#define SEK_TUNNEL_ROTATING 2     /* times as much for all fresh domains together */
#define SEK_TUNNEL_DOMAINS_MIN 20 /* of a tunnel that changes them */
#define SEK_TUNNEL_LONG 30        /* octets left of the domain that speak for data there */

enum sek_err sek_tunnel_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag);
void sek_tunnel_free(void *self);
bool sek_tunnel_see(void *self, const struct sek_observation *o, struct sek_sign *out);
size_t sek_tunnel_octets(const void *self);
unsigned sek_tunnel_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
