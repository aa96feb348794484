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
    {0, NULL},
};
