import { type QueryContext, type Scores, scoreAt } from "./clauses/clause.js";
import { endPlace, firstPlace, ipText } from "./columns/column.js";
import type { Segment } from "./columns/segment.js";
import { parseExact } from "./json/json-tree.js";
import { RawJson, writeJson } from "./json/write-json.js";
import { DateFormat } from "./mapping/date-format.js";
import type { Field } from "./mapping/field.js";
import { storedValue } from "./mapping/field-value.js";
import { compareValues, openKey, type SortKey, type SortValue, shownValue } from "./sort.js";
import { filterSource, type SourceFilter } from "./source-filter.js";

/** A row that may become a hit. */
export interface Candidate {
  /** Which of the search's segments, and the row in it. */
  readonly segment: number;
  readonly row: number;
  readonly score: number;
  readonly values: readonly SortValue[];
}

/** The order of candidates: by the keys, then as they were indexed. */
export function compareCandidates(keys: readonly SortKey[], a: Candidate, b: Candidate): number {
  for (let i = 0; i < keys.length; i++) {
    const order = compareValues(keys[i] as SortKey, a.values[i] ?? null, b.values[i] ?? null);
    if (order !== 0) return order;
  }
  return a.segment - b.segment || a.row - b.row;
}

/** The first rows by an order, as many as are wanted: a heap of that size. */
export class CandidateHeap {
  readonly #keys: readonly SortKey[];
  readonly #size: number;
  readonly #after: readonly SortValue[] | undefined;
  readonly #heap: Candidate[] = [];

  constructor(keys: readonly SortKey[], size: number, after?: readonly SortValue[]) {
    this.#keys = keys;
    this.#size = size;
    this.#after = after;
  }

  /** Opens a segment for its rows to be offered. */
  open(context: QueryContext, segment: Segment, number: number, scores: () => Scores): (row: number) => void {
    if (this.#size === 0) return () => {};
    const readers = this.#keys.map((key) => openKey(key, context, segment, scores, number * 2 ** 32));
    const isScored = this.#keys.some((key) => key.kind === "score");
    const all = isScored ? scores() : 1;
    const [first] = this.#keys;
    const [readFirst] = readers;
    return (row) => {
      const value = readFirst ? readFirst(row) : null;
      const full = this.#heap.length === this.#size;
      // Most rows are behind the last one kept by their first value alone.
      if (full && first && compareValues(first, value, this.#heap[0]?.values[0] ?? null) > 0) return;
      const values = readers.map((read, index) => (index === 0 ? value : read(row)));
      const candidate: Candidate = { segment: number, row, score: isScored ? scoreAt(all, row) : Number.NaN, values };
      if (this.#after && this.#isBefore(values)) return;
      this.offer(candidate);
    };
  }

  /** Whether values are at or before the place where the page begins. */
  #isBefore(values: readonly SortValue[]): boolean {
    const after = this.#after ?? [];
    for (let i = 0; i < this.#keys.length; i++) {
      const order = compareValues(this.#keys[i] as SortKey, values[i] ?? null, after[i] ?? null);
      if (order !== 0) return order < 0;
    }
    return true;
  }

  offer(candidate: Candidate): void {
    const heap = this.#heap;
    const worse = (a: Candidate, b: Candidate): boolean => compareCandidates(this.#keys, a, b) > 0;
    if (heap.length < this.#size) {
      heap.push(candidate);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!worse(heap[at] as Candidate, heap[parent] as Candidate)) return;
        [heap[at], heap[parent]] = [heap[parent] as Candidate, heap[at] as Candidate];
        at = parent;
      }
      return;
    }
    if (this.#size === 0 || !worse(heap[0] as Candidate, candidate)) return;
    heap[0] = candidate;
    for (let at = 0; ; ) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && worse(heap[child] as Candidate, heap[worst] as Candidate)) worst = child;
      if (worst === at) return;
      [heap[at], heap[worst]] = [heap[worst] as Candidate, heap[at] as Candidate];
      at = worst;
    }
  }

  /** Those kept, in order. */
  sorted(): Candidate[] {
    return [...this.#heap].sort((a, b) => compareCandidates(this.#keys, a, b));
  }
}

/** A field whose values a hit shows apart. */
export interface ShownField {
  readonly pattern: string;
  readonly format: string | undefined;
}

/** What a hit shows. */
export interface HitOptions {
  readonly source: SourceFilter;
  readonly keys: readonly SortKey[];
  /** Whether hits carry the values they were sorted by. */
  readonly showSort: boolean;
  readonly showScore: boolean;
  readonly version: boolean;
  readonly sequence: boolean;
  readonly fields: readonly ShownField[];
  readonly docValues: readonly ShownField[];
  readonly hasMeta: boolean;
}

/** A hit as an answer shows it. */
export function hitOf(context: QueryContext, segment: Segment, candidate: Candidate, options: HitOptions): Record<string, unknown> {
  const { row } = candidate;
  const text = segment.source(row);
  const { includes, excludes, enabled } = options.source;
  const isWhole = includes.length === 0 && excludes.length === 0;
  const document = (options.source.enabled && !isWhole) || options.fields.length > 0 ? parseExact(text) : undefined;
  const source = !enabled ? undefined : isWhole ? new RawJson(text) : new RawJson(writeJson(filterSource(document, options.source)));
  const fields = { ...fieldValues(context, document, options.fields), ...docValues(context, segment, row, options.docValues) };
  return {
    _index: context.index,
    ...(options.hasMeta && { _id: segment.id(row) }),
    ...(options.version && { _version: segment.version(row) }),
    ...(options.sequence && { _seq_no: segment.sequence(row), _primary_term: 1 }),
    _score: options.showScore && !Number.isNaN(candidate.score) ? Math.fround(candidate.score) : null,
    ...(source !== undefined && { _source: source }),
    ...(Object.keys(fields).length > 0 && { fields }),
    ...(options.showSort && { sort: options.keys.map((key, index) => shownValue(key, context, candidate.values[index] ?? null)) }),
  };
}

/** The values at a path of a document, through arrays and dotted names. */
function valuesAt(document: unknown, path: string): unknown[] {
  if (Array.isArray(document)) return document.flatMap((item) => valuesAt(item, path));
  if (path === "") return document === null || document === undefined ? [] : [document];
  if (typeof document !== "object" || document === null) return [];
  const object = document as Record<string, unknown>;
  const found: unknown[] = [];
  for (let dot = path.length; dot !== -1; dot = path.lastIndexOf(".", dot - 1)) {
    const key = path.slice(0, dot);
    if (Object.hasOwn(object, key)) found.push(...valuesAt(object[key], path.slice(dot + 1)));
    if (dot === 0) break;
  }
  return found;
}

function fieldValues(context: QueryContext, document: unknown, shown: readonly ShownField[]): Record<string, unknown[]> {
  const result = Object.create(null) as Record<string, unknown[]>;
  for (const { pattern, format } of shown) {
    for (const field of context.mapping.fieldsMatching(pattern)) {
      const path = field.isSubField ? field.path.slice(0, field.path.lastIndexOf(".")) : field.path;
      const name = pattern.includes("*") ? field.path : pattern;
      const values = valuesAt(document, path).flatMap((value) => (Array.isArray(value) ? value : [value]));
      const shownValues = values.flatMap((value) => {
        try {
          const stored = storedValue(field, value);
          if (field.traits.family === "date")
            return [(format === undefined ? field.format : new DateFormat(format))?.format(Number(stored)) ?? null];
          if (field.traits.family === "boolean") return [stored === 1];
          if (field.traits.family === "none") return [value];
          if (typeof stored === "string" && field.ignoreAbove !== undefined && stored.length > field.ignoreAbove) return [];
          return stored === undefined ? [] : [Array.isArray(stored) ? value : stored];
        } catch {
          // A value that the field could not hold is not among its values.
          return [];
        }
      });
      if (shownValues.length > 0) result[name] = shownValues;
    }
  }
  return result;
}

function docValues(context: QueryContext, segment: Segment, row: number, shown: readonly ShownField[]): Record<string, unknown[]> {
  const result = Object.create(null) as Record<string, unknown[]>;
  for (const { pattern, format } of shown) {
    for (const field of context.mapping.fieldsMatching(pattern)) {
      if (!field.hasDocValues) continue;
      const values = columnValues(field, segment, row, format);
      if (values.length > 0) result[pattern.includes("*") ? field.path : pattern] = values;
    }
  }
  return result;
}

function columnValues(field: Field, segment: Segment, row: number, format: string | undefined): unknown[] {
  const column = segment.column(field.column);
  if (!column) return [];
  const values: unknown[] = [];
  for (let place = firstPlace(column, row); place < endPlace(column, row); place++) {
    if (column.kind === "number") {
      const value = column.exact.get(place) ?? (column.values[place] as number);
      if (typeof value === "number" && Number.isNaN(value)) continue;
      if (field.traits.family === "date")
        values.push((format === undefined ? field.format : new DateFormat(format))?.format(Number(value)) ?? null);
      else values.push(field.traits.family === "boolean" ? value === 1 : value);
    } else {
      const code = column.codes[place] ?? -1;
      if (code >= 0) values.push(column.kind === "ip" ? ipText(column, code) : column.dictionary.text(code));
    }
  }
  return values;
}
