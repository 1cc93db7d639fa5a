import { Analysis, KEYWORD, STANDARD } from "../analysis/analyzer.js";
import { illegalArgument, QueryError } from "../query-error.js";
import { DateFormat, DEFAULT_DATE_FORMAT } from "./date-format.js";
import { FIELD_TYPES, type Field } from "./field.js";

type Definition = Record<string, unknown>;
/** What a document's unknown fields become. */
export type Dynamic = "true" | "false" | "strict" | "runtime";

/** An object of the mapping and what stands in it. */
interface ObjectNode {
  readonly path: string;
  dynamic: Dynamic | undefined;
  enabled: boolean;
  readonly children: Map<string, ObjectNode | Field>;
}

const isObjectNode = (node: ObjectNode | Field): node is ObjectNode => "children" in node;
const isObject = (value: unknown): value is Definition => typeof value === "object" && value !== null && !Array.isArray(value);

const MOST_FIELDS = 1000;
const LONGEST_NAME = 512;
const DEEPEST = 20;

const mapperError = (reason: string, cause?: unknown): QueryError => new QueryError("mapper_parsing_exception", reason, { cause });

/** Parameters that a field's definition may have and that change nothing here. */
const PARAMETERS = new Set(
  (
    "type fields properties analyzer search_analyzer search_quote_analyzer normalizer format ignore_above ignore_malformed coerce null_value copy_to " +
    "scaling_factor index doc_values store norms similarity index_options index_prefixes index_phrases fielddata fielddata_frequency_filter boost eager_global_ordinals " +
    "meta position_increment_gap term_vector locale split_queries_on_whitespace dynamic enabled path value time_series_metric time_series_dimension " +
    "max_input_length preserve_separators preserve_position_increments dims relations depth_limit include_in_all script on_script_error subobjects max_shingle_size orientation strategy ignore_z_value positive_score_impact element_type index_options " +
    "include_in_parent include_in_root"
  ).split(" "),
);

function booleanOf(definition: Definition, name: string, otherwise: boolean): boolean {
  const value = definition[name];
  if (value === undefined) return otherwise;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw mapperError(`Failed to parse value [${String(value)}] as only [true] or [false] are allowed.`);
}

function dynamicOf(definition: Definition): Dynamic | undefined {
  const { dynamic } = definition;
  if (dynamic === undefined) return undefined;
  const text = String(dynamic);
  if (text === "true" || text === "false" || text === "strict" || text === "runtime") return text;
  throw mapperError(`Could not convert [dynamic] to boolean, strict or runtime: [${text}]`);
}

function textsOf(value: unknown): readonly string[] {
  return value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];
}

/** `*` matches any run of characters. */
function matchesSimple(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === text;
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

export { matchesSimple };

interface DynamicTemplate {
  readonly name: string;
  readonly rule: Definition;
}

/**
 * What the fields of an index are, as an Elasticsearch mapping says: `properties` with types, objects and sub-fields, `dynamic`,
 * `dynamic_templates`, aliases. Documents may add fields to it.
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/mapping.html
 */
export class Mapping {
  readonly analysis: Analysis;
  #json: Definition;
  #root: ObjectNode = { path: "", dynamic: undefined, enabled: true, children: new Map() };
  readonly #fields = new Map<string, Field>();
  readonly #aliases = new Map<string, string>();
  #changes = 0;

  /** @throws QueryError `mapper_parsing_exception` naming the field and what is wrong with it */
  constructor(json: unknown = {}, analysis: Analysis = new Analysis()) {
    this.analysis = analysis;
    this.#json = {};
    this.merge(json);
    this.#changes = 0;
  }

  /** How often fields were added since the mapping was made. */
  get changes(): number {
    return this.#changes;
  }

  /** The mapping as `GET _mapping` shows it. */
  toJSON(): Definition {
    return structuredClone(this.#json);
  }

  /** A mapping of its own with the same fields. */
  copy(): Mapping {
    return new Mapping(this.#json, this.analysis);
  }

  /**
   * Adds fields.
   * @throws QueryError when a field is there already and differs, or a definition is wrong
   */
  merge(json: unknown): void {
    if (json === null || json === undefined) return;
    if (!isObject(json)) throw mapperError("Failed to parse mapping: expected an object");
    const known = [
      "properties",
      "dynamic",
      "dynamic_templates",
      "date_detection",
      "numeric_detection",
      "dynamic_date_formats",
      "_source",
      "_routing",
      "_meta",
      "runtime",
      "enabled",
      "subobjects",
      "_data_stream_timestamp",
      "_field_names",
      "_size",
      "_all",
    ];
    const unknown = Object.keys(json).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
      const shown = unknown.map((key) => `${key} : ${JSON.stringify(json[key])?.slice(0, 100) ?? ""}`).join("], [");
      throw mapperError(`Root mapping definition has unsupported parameters:  [${shown}]`);
    }
    if (json["runtime"] !== undefined && isObject(json["runtime"]) && Object.keys(json["runtime"]).length > 0) {
      throw mapperError("runtime fields are not supported: they need scripts");
    }
    const merged = structuredClone(this.#json);
    const before = merged["properties"];
    for (const [key, value] of Object.entries(json)) if (key !== "properties") merged[key] = value;
    const after = json["properties"];
    if (after !== undefined && !isObject(after)) throw mapperError("Expected map for property [properties]");
    merged["properties"] = mergeProperties(isObject(before) ? before : {}, isObject(after) ? after : {}, "");
    if (Object.keys(merged["properties"] as Definition).length === 0) delete merged["properties"];
    this.#read(merged);
    this.#json = merged;
    this.#changes++;
  }

  #read(json: Definition): void {
    const fields = new Map<string, Field>();
    const aliases = new Map<string, string>();
    const root: ObjectNode = { path: "", dynamic: dynamicOf(json), enabled: booleanOf(json, "enabled", true), children: new Map() };
    this.#readObject(root, json, fields, aliases, 1);
    for (const [alias, path] of aliases) {
      if (!fields.has(path))
        throw mapperError(
          `Invalid [path] value [${path}] for field alias [${alias}]: an alias must refer to an existing field in the mappings.`,
        );
    }
    if (fields.size + aliases.size > MOST_FIELDS) throw illegalArgument(`Limit of total fields [${MOST_FIELDS}] has been exceeded`);
    this.#root = root;
    this.#fields.clear();
    for (const [path, field] of fields) this.#fields.set(path, field);
    this.#aliases.clear();
    for (const [alias, path] of aliases) this.#aliases.set(alias, path);
  }

  #readObject(node: ObjectNode, json: Definition, fields: Map<string, Field>, aliases: Map<string, string>, depth: number): void {
    const properties = json["properties"];
    if (properties === undefined) return;
    if (!isObject(properties)) throw mapperError(`Expected map for property [properties] on field [${node.path}]`);
    if (depth > DEEPEST) throw illegalArgument(`Limit of mapping depth [${DEEPEST}] has been exceeded due to object field [${node.path}]`);
    for (const [name, definition] of Object.entries(properties)) this.#readField(node, name, definition, fields, aliases, depth);
  }

  #readField(
    parent: ObjectNode,
    name: string,
    definition: unknown,
    fields: Map<string, Field>,
    aliases: Map<string, string>,
    depth: number,
  ): void {
    const path = parent.path === "" ? name : `${parent.path}.${name}`;
    if (name === "" || name.startsWith(".") || name.endsWith("."))
      throw mapperError(`field name cannot be an empty string or start or end with a dot: [${path}]`);
    if (path.length > LONGEST_NAME) throw illegalArgument(`Limit of field name length [${LONGEST_NAME}] has been exceeded`);
    if (!isObject(definition))
      throw mapperError(`Expected map for property [${name}] but got a ${Array.isArray(definition) ? "list" : typeof definition}`);
    const type = definition["type"] === undefined ? "object" : String(definition["type"]);
    for (const key of Object.keys(definition)) {
      if (!PARAMETERS.has(key)) throw mapperError(`unknown parameter [${key}] on mapper [${name}] of type [${type}]`);
    }
    // A dotted name is a path of objects.
    const dot = name.indexOf(".");
    if (dot !== -1) {
      const object = this.#objectIn(parent, name.slice(0, dot));
      this.#readField(object, name.slice(dot + 1), definition, fields, aliases, depth + 1);
      return;
    }
    if (type === "object" || type === "nested" || type === "flattened") {
      const known = parent.children.get(name);
      const node: ObjectNode = known && isObjectNode(known) ? known : { path, dynamic: undefined, enabled: true, children: new Map() };
      node.dynamic = dynamicOf(definition) ?? node.dynamic;
      // Documents inside documents are kept and not searched.
      node.enabled = type === "object" && booleanOf(definition, "enabled", true);
      parent.children.set(name, node);
      this.#readObject(node, definition, fields, aliases, depth + 1);
      return;
    }
    if (type === "alias") {
      aliases.set(path, String(definition["path"] ?? ""));
      return;
    }
    const field = this.#field(path, path, type, definition, false);
    fields.set(path, field);
    parent.children.set(name, field);
    const sub = definition["fields"];
    if (sub === undefined) return;
    if (!isObject(sub)) throw mapperError(`expected map for property [fields] on field [${path}]`);
    for (const [subName, subDefinition] of Object.entries(sub)) {
      if (!isObject(subDefinition)) throw mapperError(`Expected map for property [fields] on field [${subName}]`);
      const subType = String(subDefinition["type"] ?? "");
      const subPath = `${path}.${subName}`;
      // Texts are kept once: a sub-field of text reads its parent's.
      const shares =
        FIELD_TYPES[subType]?.family === "text" &&
        field.traits.family === "text" &&
        !field.normalizer &&
        subDefinition["normalizer"] === undefined;
      fields.set(subPath, this.#field(subPath, shares ? path : subPath, subType, subDefinition, true));
    }
  }

  #objectIn(parent: ObjectNode, name: string): ObjectNode {
    const known = parent.children.get(name);
    if (known && isObjectNode(known)) return known;
    const path = parent.path === "" ? name : `${parent.path}.${name}`;
    if (known) throw mapperError(`can't merge a non object mapping [${path}] with an object mapping`);
    const node: ObjectNode = { path, dynamic: undefined, enabled: true, children: new Map() };
    parent.children.set(name, node);
    return node;
  }

  #field(path: string, column: string, type: string, definition: Definition, isSubField: boolean): Field {
    const traits = Object.hasOwn(FIELD_TYPES, type) ? FIELD_TYPES[type] : undefined;
    const name = path.slice(path.lastIndexOf(".") + 1);
    if (!traits) throw mapperError(`No handler for type [${type}] declared on field [${name}]`);
    try {
      const analyzerName = definition["analyzer"];
      const analyzer = traits.analyzed
        ? analyzerName === undefined
          ? STANDARD
          : this.analysis.analyzer(String(analyzerName))
        : traits.family === "text"
          ? KEYWORD
          : undefined;
      const searchName = definition["search_analyzer"];
      const scalingFactor = Number(definition["scaling_factor"] ?? 1);
      if (type === "scaled_float" && (definition["scaling_factor"] === undefined || !(scalingFactor > 0)))
        throw illegalArgument("Field [scaling_factor] is required");
      const ignoreAbove = definition["ignore_above"];
      return {
        path,
        column,
        type,
        traits,
        analyzer,
        searchAnalyzer: searchName === undefined ? analyzer : this.analysis.analyzer(String(searchName)),
        normalizer:
          definition["normalizer"] === undefined || definition["normalizer"] === null
            ? undefined
            : this.analysis.normalizer(String(definition["normalizer"])),
        format:
          traits.family === "date"
            ? definition["format"] === undefined
              ? DEFAULT_DATE_FORMAT
              : new DateFormat(String(definition["format"]))
            : undefined,
        ignoreAbove: ignoreAbove === undefined ? undefined : Number(ignoreAbove),
        ignoreMalformed: booleanOf(definition, "ignore_malformed", false),
        coerce: booleanOf(definition, "coerce", true),
        nullValue: definition["null_value"] ?? undefined,
        copyTo: textsOf(definition["copy_to"]),
        scalingFactor,
        isIndexed: booleanOf(definition, "index", true) && traits.family !== "none",
        hasDocValues: traits.analyzed
          ? booleanOf(definition, "fielddata", false)
          : booleanOf(definition, "doc_values", true) && traits.family !== "none",
        isSubField,
      };
    } catch (cause) {
      throw cause instanceof QueryError ? mapperError(`Failed to parse mapping: ${cause.reason}`, cause) : cause;
    }
  }

  /** The field of a path or an alias; undefined when there is none. */
  field(path: string): Field | undefined {
    return this.#fields.get(path) ?? this.#fields.get(this.#aliases.get(path) ?? "");
  }

  /** The definition of a field that is no sub-field, as the mapping has it. */
  definition(path: string): Definition | undefined {
    let at: Definition | undefined = this.#json;
    for (const name of path.split(".")) {
      const properties: unknown = at?.["properties"];
      const next: unknown = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
      at = isObject(next) ? next : undefined;
    }
    return at && structuredClone(at);
  }

  /** All fields, by path. */
  get fields(): ReadonlyMap<string, Field> {
    return this.#fields;
  }

  /** Aliases, with the path that each means. */
  get aliases(): ReadonlyMap<string, string> {
    return this.#aliases;
  }

  /** Whether a path is an object of the mapping. */
  isObject(path: string): boolean {
    return this.#node(path) !== undefined;
  }

  #node(path: string): ObjectNode | undefined {
    let node: ObjectNode | Field = this.#root;
    if (path === "") return node;
    for (const name of path.split(".")) {
      if (!isObjectNode(node)) return undefined;
      const child: ObjectNode | Field | undefined = node.children.get(name);
      if (!child) return undefined;
      node = child;
    }
    return isObjectNode(node) ? node : undefined;
  }

  /** Fields, and sub-fields, whose paths match a pattern with `*`; aliases too. */
  fieldsMatching(pattern: string): Field[] {
    if (!pattern.includes("*")) {
      const field = this.field(pattern);
      return field ? [field] : [];
    }
    const found = [...this.#fields.values()].filter((field) => matchesSimple(pattern, field.path));
    for (const [alias, path] of this.#aliases) {
      const field = this.#fields.get(path);
      if (field && matchesSimple(pattern, alias) && !found.includes(field)) found.push(field);
    }
    return found;
  }

  /** What the unknown fields of an object become. */
  dynamicOf(path: string): Dynamic {
    for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
      const dynamic = this.#node(at)?.dynamic;
      if (dynamic !== undefined) return dynamic;
      if (at === "") return "true";
    }
  }

  /** Whether what stands in an object is searched; false too below one that is not. */
  isEnabled(path: string): boolean {
    return this.#node(path)?.enabled ?? true;
  }

  get detectsDates(): boolean {
    return booleanOf(this.#json, "date_detection", true);
  }

  get detectsNumbers(): boolean {
    return booleanOf(this.#json, "numeric_detection", false);
  }

  /** The formats of texts that dynamic mapping takes for dates; undefined: the default ones. */
  get dynamicDateFormats(): readonly string[] | undefined {
    const formats = this.#json["dynamic_date_formats"];
    return formats === undefined ? undefined : textsOf(formats);
  }

  /** The definition that a dynamic template gives a new field; undefined when none matches. */
  template(path: string, name: string, jsonType: string): Definition | undefined {
    const templates = this.#json["dynamic_templates"];
    if (!Array.isArray(templates)) return undefined;
    const named = templates.flatMap((one: unknown): DynamicTemplate[] =>
      isObject(one) ? Object.entries(one).flatMap(([key, rule]) => (isObject(rule) ? [{ name: key, rule }] : [])) : [],
    );
    const fits = (patterns: unknown, text: string): boolean => textsOf(patterns).some((pattern) => matchesSimple(pattern, text));
    for (const { rule } of named) {
      const { match, unmatch, path_match: pathMatch, path_unmatch: pathUnmatch, match_mapping_type: type } = rule;
      if (match !== undefined && !fits(match, name)) continue;
      if (unmatch !== undefined && fits(unmatch, name)) continue;
      if (pathMatch !== undefined && !fits(pathMatch, path)) continue;
      if (pathUnmatch !== undefined && fits(pathUnmatch, path)) continue;
      if (type !== undefined && !fits(type, jsonType)) continue;
      const text = JSON.stringify(rule["mapping"] ?? {});
      return JSON.parse(
        text
          .replaceAll("{name}", JSON.stringify(name).slice(1, -1))
          .replaceAll("{dynamic_type}", jsonType === "string" ? "text" : jsonType),
      ) as Definition;
    }
    return undefined;
  }

  /** Adds one field, as a document brings it. */
  addField(path: string, definition: Definition): Field | undefined {
    let properties: Definition = { [path.slice(path.lastIndexOf(".") + 1)]: definition };
    const parents = path.split(".").slice(0, -1);
    for (const name of parents.reverse()) properties = { [name]: { properties } };
    this.merge({ properties });
    return this.field(path);
  }
}

/** Definitions of both; a field of both must have one type, and keeps what the second does not name. */
function mergeProperties(before: Definition, after: Definition, path: string): Definition {
  const merged: Definition = Object.assign(Object.create(null) as Definition, before);
  for (const [name, definition] of Object.entries(after)) {
    const known = Object.hasOwn(before, name) ? before[name] : undefined;
    const full = path === "" ? name : `${path}.${name}`;
    if (!isObject(known) || !isObject(definition)) {
      merged[name] = definition;
      continue;
    }
    const typeOf = (one: Definition): string => String(one["type"] ?? "object");
    if (typeOf(known) !== typeOf(definition)) {
      const objects = typeOf(known) === "object" || typeOf(definition) === "object";
      throw objects
        ? illegalArgument(`can't merge a non object mapping [${full}] with an object mapping`)
        : illegalArgument(`mapper [${full}] cannot be changed from type [${typeOf(known)}] to [${typeOf(definition)}]`);
    }
    for (const fixed of ["analyzer", "normalizer", "format", "scaling_factor"]) {
      if (known[fixed] !== undefined && definition[fixed] !== undefined && known[fixed] !== definition[fixed]) {
        throw illegalArgument(
          `Mapper for [${full}] conflicts with existing mapper: Cannot update parameter [${fixed}] from [${String(known[fixed])}] to [${String(definition[fixed])}]`,
        );
      }
    }
    const one: Definition = { ...known, ...definition };
    if (isObject(known["properties"]) || isObject(definition["properties"])) {
      one["properties"] = mergeProperties(
        isObject(known["properties"]) ? known["properties"] : {},
        isObject(definition["properties"]) ? definition["properties"] : {},
        full,
      );
    }
    if (isObject(known["fields"]) && isObject(definition["fields"]))
      one["fields"] = mergeProperties(known["fields"], definition["fields"], full);
    merged[name] = one;
  }
  return merged;
}
