import { badParameter, type CoreError, shownValue } from "../errors.js";
import { type BenignService, checkService } from "./benign-service.js";

interface SpecBase {
  /** The name in every adapter: library, command line, HTTP. */
  readonly name: string;
  /** Other names under which it may be given; only one of them at a time. */
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly unit?: string;
}

/** A number; `integer` allows whole ones only. */
export interface NumberSpec extends SpecBase {
  readonly type: "number" | "integer";
  /** Undefined: the parameter may be left out and then does nothing. */
  readonly default: number | undefined;
  readonly min: number;
  /** Undefined: no upper limit. */
  readonly max?: number;
}

/** A list of at least one whole number. */
export interface IntegersSpec extends SpecBase {
  readonly type: "integers";
  readonly default: readonly number[];
  readonly min: number;
}

/** A range of numbers, `low < high`. */
export type Span = readonly [low: number, high: number];

/** A list of at least one span of numbers from 0 on. */
export interface SpansSpec extends SpecBase {
  readonly type: "spans";
  readonly default: readonly Span[];
}

/** Numbers from 0 on by name; those that are not given keep their default. */
export interface WeightsSpec extends SpecBase {
  readonly type: "weights";
  readonly default: Readonly<Record<string, number>>;
}

/** Benign services that are added to a list; one with the label of another replaces it. Default: none. */
export interface ServicesSpec extends SpecBase {
  readonly type: "services";
  readonly default: readonly BenignService[];
}

/** What a search parameter is; adapters make options, help and documentation from it. */
export type ParameterSpec = NumberSpec | IntegersSpec | SpansSpec | WeightsSpec | ServicesSpec;

export type ParameterValue = number | readonly number[] | readonly Span[] | Readonly<Record<string, number>> | readonly BenignService[];

/** Checked parameters by name. */
export type ParameterValues = Readonly<Record<string, ParameterValue | undefined>>;

type ValueOf<S extends ParameterSpec> = S extends NumberSpec
  ? S["default"] extends number
    ? number
    : number | undefined
  : S extends IntegersSpec
    ? readonly number[]
    : S extends WeightsSpec
      ? Readonly<Record<string, number>>
      : S extends ServicesSpec
        ? readonly BenignService[]
        : readonly Span[];

/** The checked values of specifications: what `checkParameters` makes of them. */
export type ValuesOf<Specs extends readonly ParameterSpec[]> = {
  readonly [S in Specs[number] as S["name"]]: ValueOf<S>;
};

/** Lists longer than this are a mistake, or worse. */
const LONGEST_LIST = 1000;

const kindOf = (spec: ParameterSpec): string => {
  switch (spec.type) {
    case "number":
      return "a number";
    case "integer":
      return "a whole number";
    case "integers":
      return "a list of whole numbers such as [1, 5]";
    case "spans":
      return "a list of spans such as [[0, 5], [2, 15]]";
    case "weights":
      return `weights by name such as {${Object.keys(spec.default)
        .slice(0, 2)
        .map((name) => `"${name}": 1`)
        .join(", ")}}`;
    case "services":
      return 'a list of services such as [{"label": "backup", "ports": ["9102/tcp"], "names": ["backup.example"]}]';
  }
};

function checkNumber(spec: NumberSpec | IntegersSpec, value: unknown): number {
  const whole = spec.type !== "number";
  if (typeof value !== "number" || !Number.isFinite(value))
    throw badParameter(spec.name, `must be ${kindOf(spec)}, got ${shownValue(value)}`);
  if (whole && !Number.isInteger(value)) throw badParameter(spec.name, `must be ${kindOf(spec)}, got ${value}`);
  const { min } = spec;
  const max = spec.type === "integers" ? undefined : spec.max;
  if (value < min || (max !== undefined && value > max)) {
    throw badParameter(spec.name, `must be ${max === undefined ? `${min} or more` : `between ${min} and ${max}`}, got ${value}`);
  }
  return value;
}

function checkSpan(spec: SpansSpec, value: unknown): Span {
  const [low, high, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof low !== "number" || typeof high !== "number" || more.length > 0 || !Number.isFinite(high - low)) {
    throw badParameter(spec.name, `must be ${kindOf(spec)}, got ${shownValue(value)} in it`);
  }
  if (low < 0 || low >= high) throw badParameter(spec.name, `must hold spans [low, high] with 0 <= low < high, got ${shownValue(value)}`);
  return [low, high];
}

function checkWeights(spec: WeightsSpec, value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badParameter(spec.name, `must be ${kindOf(spec)}, got ${shownValue(value)}`);
  const names = Object.keys(spec.default);
  for (const [name, weight] of Object.entries(value as Record<string, unknown>)) {
    if (!names.includes(name)) throw badParameter(spec.name, `has ${names.join(", ")}, not ${shownValue(name)}`);
    if (typeof weight !== "number" || !Number.isFinite(weight) || weight < 0)
      throw badParameter(spec.name, `must hold numbers of 0 or more, got ${shownValue(weight)} for ${name}`);
  }
  const weights = { ...spec.default, ...(value as Record<string, number>) };
  if (!Object.values(weights).some((weight) => weight > 0)) throw badParameter(spec.name, "must leave a weight above 0");
  return weights;
}

function checkList(spec: IntegersSpec | SpansSpec | ServicesSpec, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || (value.length === 0 && spec.type !== "services"))
    throw badParameter(spec.name, `must be ${kindOf(spec)}, got ${shownValue(value)}`);
  if (value.length > LONGEST_LIST) throw badParameter(spec.name, `must have at most ${LONGEST_LIST} entries, got ${value.length}`);
  return value as readonly unknown[];
}

function checkValue(spec: ParameterSpec, value: unknown): ParameterValue | undefined {
  if (value === undefined) return spec.default;
  switch (spec.type) {
    case "number":
    case "integer":
      return checkNumber(spec, value);
    case "weights":
      return checkWeights(spec, value);
    case "integers":
      return checkList(spec, value).map((item) => checkNumber(spec, item));
    case "spans":
      return checkList(spec, value).map((item) => checkSpan(spec, item));
    case "services":
      return checkList(spec, value).map((item) => checkService(spec.name, item));
  }
}

/** The value given under the parameter's name or one of its aliases. */
function valueGiven(spec: ParameterSpec, given: Readonly<Record<string, unknown>>): unknown {
  const names = [spec.name, ...(spec.aliases ?? [])].filter((name) => Object.hasOwn(given, name) && given[name] !== undefined);
  const [name, second] = names;
  if (name !== undefined && second !== undefined) throw badParameter(spec.name, `is given twice: as ${name} and as ${second}`);
  return name === undefined ? undefined : given[name];
}

/**
 * Checks parameters against their specifications and fills in the defaults: the one place where they are judged.
 * @throws CoreError `bad-parameter`, whose `column` names the parameter
 */
export function checkParameters(specs: readonly ParameterSpec[], given: unknown): ParameterValues {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw badParameter("parameters", "must be an object");
  const values: Record<string, ParameterValue | undefined> = {};
  for (const name of Object.keys(given)) {
    if (!specs.some((spec) => spec.name === name || spec.aliases?.includes(name))) {
      throw badParameter(name, `is not a parameter of this search; it has ${specs.map((spec) => spec.name).join(", ")}`);
    }
  }
  for (const spec of specs) {
    const value = checkValue(spec, valueGiven(spec, given as Record<string, unknown>));
    if (value !== undefined) values[spec.name] = value;
  }
  return values;
}

function jsonOf(text: string, unreadable: () => CoreError): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw unreadable();
  }
}

/** Weights as `name=number` separated by commas, or as JSON. */
function weightsOf(text: string, number: (part: string) => number, unreadable: () => CoreError): unknown {
  if (text.trim().startsWith("{")) return jsonOf(text, unreadable);
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [name = "", value = ""] = part.split("=", 2);
      return [name.trim(), number(value)];
    }),
  );
}

/**
 * Reads the text of a parameter, as a command line gives it: a number, whole numbers separated by commas, spans as JSON, or weights.
 * The result is for `checkParameters` to judge.
 * @throws CoreError `bad-parameter` when the text is no value of the parameter's type
 */
export function parseParameter(spec: ParameterSpec, text: string): unknown {
  const unreadable = (): CoreError => badParameter(spec.name, `must be ${kindOf(spec)}, got ${shownValue(text)}`);
  const number = (part: string): number => {
    const value = part.trim() === "" ? Number.NaN : Number(part);
    if (!Number.isFinite(value)) throw unreadable();
    return value;
  };
  switch (spec.type) {
    case "number":
    case "integer":
      return number(text);
    case "integers":
      return text
        .replace(/^\s*\[(.*)\]\s*$/s, "$1")
        .split(",")
        .map(number);
    case "spans":
      return jsonOf(text, unreadable);
    case "weights":
      return weightsOf(text, number, unreadable);
    case "services":
      return jsonOf(text, unreadable);
  }
}
