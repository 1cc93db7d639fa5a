import type { BenignService } from "../benign-service.js";

/**
 * Services that look like beacons and are none. Short on purpose: a name says what the client asked for, which an intruder may
 * choose. They are labelled and ranked below, never left out.
 */
export const BENIGN_SERVICES: readonly BenignService[] = [
  { label: "time (NTP)", ports: ["123/udp"] },
  { label: "DNS", ports: ["53/udp", "53/tcp"], service: "dns" },
  { label: "name service on the local network", ports: ["5353/udp", "5355/udp", "137/udp"] },
  { label: "DHCP", ports: ["67/udp", "68/udp", "546/udp", "547/udp"] },
  { label: "service discovery", ports: ["1900/udp", "3702/udp", "138/udp", "5351/udp"] },
  { label: "network management", ports: ["161/udp", "162/udp", "514/udp"] },
  { label: "push messages", ports: ["5223/tcp", "5228/tcp"], names: ["push.apple.com", "mtalk.google.com", "push.services.mozilla.com"] },
  {
    label: "software updates",
    names: [
      "windowsupdate.com",
      "update.microsoft.com",
      "delivery.mp.microsoft.com",
      "swcdn.apple.com",
      "swscan.apple.com",
      "mesu.apple.com",
      "archive.ubuntu.com",
      "security.ubuntu.com",
      "deb.debian.org",
      "mirrors.fedoraproject.org",
      "update.googleapis.com",
      "clients2.google.com",
      "aus5.mozilla.org",
      "detectportal.firefox.com",
      "connectivitycheck.gstatic.com",
      "msftconnecttest.com",
      "msftncsi.com",
    ],
  },
  {
    label: "telemetry",
    names: [
      "data.microsoft.com",
      "telemetry.microsoft.com",
      "vortex.data.microsoft.com",
      "settings-win.data.microsoft.com",
      "incoming.telemetry.mozilla.org",
      "metrics.icloud.com",
      "metrics.ubuntu.com",
      "time.windows.com",
    ],
  },
];

/** The services with others added; one with the label of another replaces it. */
export function withServices(added: readonly BenignService[]): BenignService[] {
  return [...new Map([...BENIGN_SERVICES, ...added].map((service) => [service.label, service])).values()];
}
