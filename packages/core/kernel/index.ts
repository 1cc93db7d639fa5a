// The exports of the reader kernel. See README.md beside this file for how the host drives it.
export { alloc, release } from "./memory";
export { seed } from "./hash";
export { dictionaryNew, encode as dictionaryEncode, encodeAll as dictionaryEncodeAll } from "./dictionary";
export { badLines, configure, oddFields, oddLines, planAdd, planOut, planOut2, planStart, rowStarts } from "./plan";
export { directiveEnd, directiveStart, indexedBytes, indexedLines, tsvBatchRows, tsvIndex, tsvRows } from "./tsv";
export { consumedBytes, consumedLines, jsonBatchRows, jsonRows, jsonStart, keyAdd, keysStart } from "./json";
export { groupCounts, groupKeys, groupRows, groupsRemap, groupsReserve, groupTies, placedRows, placedTimes, placeGroups } from "./groups";
