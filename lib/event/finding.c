/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/finding.h"
#include "base/banned.h"

const struct sek_lookup sek_detector_names[] = {
    {SEK_DETECTOR_DGA, "dga"},
    {SEK_DETECTOR_BEACON, "beacon"},
    {SEK_DETECTOR_TUNNEL, "tunnel"},
    {SEK_DETECTOR_NXBURST, "nxdomain-burst"},
    {SEK_DETECTOR_FASTFLUX, "fast-flux"},
    {SEK_DETECTOR_SHORTLIVED, "short-lived"},
    {SEK_DETECTOR_SURGE, "surge"},
    {SEK_DETECTOR_NEWRATE, "new-domain-rate"},
    {SEK_DETECTOR_BYPASS, "resolver-bypass"},
    {SEK_DETECTOR_UDR, "unique-response"},
    {SEK_DETECTOR_SINKHOLED, "sinkholed"},
    {0, NULL},
};
