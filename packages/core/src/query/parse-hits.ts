import { asObject, itemsOf, Params } from "./clauses/params.js";
import type { HitOptions, ShownField } from "./hits.js";
import type { JsonNode } from "./json/json-tree.js";
import { illegalArgument, parsingError } from "./query-error.js";
import { BY_SCORE, parseSort, type SortKey } from "./sort.js";
import { parseSourceFilter } from "./source-filter.js";

/** Which hits are wanted and what they show. */
export interface HitParts {
  readonly from: number;
  readonly size: number;
  readonly keys: readonly SortKey[];
  readonly hit: HitOptions;
}

function shownFields(node: JsonNode | undefined, name: string): ShownField[] {
  if (!node || node.kind === "null") return [];
  return itemsOf(node).map((item) => {
    if (item.kind === "string") return { pattern: item.text, format: undefined };
    const params = new Params(name, asObject(item, name));
    const pattern = params.text("field");
    const format = params.text("format");
    params.boolean("include_unmapped", false);
    params.done();
    if (pattern === undefined) throw parsingError(`[${name}] requires a [field]`, item.at);
    return { pattern, format };
  });
}

/** Reads what a search and `top_hits` share: `from`, `size`, `sort`, `_source`, `fields` and so on. */
export function parseHitParts(params: Params, defaultSize: number): HitParts {
  const from = params.whole("from", 0);
  const size = params.whole("size", defaultSize);
  if (from < 0) throw illegalArgument(`[from] parameter cannot be negative but was [${from}]`);
  if (size < 0) throw illegalArgument(`[size] parameter cannot be negative, found [${size}]`);
  const sort = parseSort(params.get("sort"));
  const trackScores = params.boolean("track_scores", false);
  const keys = sort ?? BY_SCORE;
  const stored = params.texts("stored_fields");
  const none = stored?.includes("_none_") ?? false;
  const sourceNode = params.get("_source");
  const source = parseSourceFilter(sourceNode);
  params.boolean("explain", false);
  if (params.get("highlight")) throw parsingError("[highlight] is not supported here", params.get("highlight")?.at);
  if (params.get("script_fields"))
    throw parsingError("[script_fields] are not supported here: they need scripts", params.get("script_fields")?.at);
  return {
    from,
    size,
    keys,
    hit: {
      source: none && !sourceNode ? { ...source, enabled: false } : source,
      keys,
      showSort: sort !== undefined,
      showScore: trackScores || keys.some((key) => key.kind === "score"),
      version: params.boolean("version", false),
      sequence: params.boolean("seq_no_primary_term", false),
      fields: shownFields(params.get("fields"), "fields"),
      docValues: shownFields(params.get("docvalue_fields"), "docvalue_fields"),
      hasMeta: !none,
    },
  };
}
