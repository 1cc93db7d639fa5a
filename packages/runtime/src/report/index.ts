export { API_COLUMNS, type ApiBeacon, apiBeacon, apiRow, csvCell, csvRows } from "./csv.js";
export { evidenceFrom, evidenceOf, profileObject } from "./evidence.js";
export { htmlReport, MOST_SHOWN } from "./html-report.js";
export {
  type BeaconStory,
  blindLine,
  type FoundBeacons,
  foundLine,
  LIKELY_HARMLESS,
  payloadLines,
  readLine,
  storyLine,
  storyOf,
  type Totals,
  totals,
  whyUnreadable,
} from "./reading.js";
export { bar, grouped, humanBytes, humanMinutes, humanTime, printable, sparkline } from "./words.js";
