import { CoreError } from "../errors.js";

interface SpecBase {
  /** The name in every adapter: library, command line, HTTP. */
  readonly name: string;
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

/** What a search parameter is; adapters make options, help and documentation from it. */
export type ParameterSpec = NumberSpec;

/** Checked parameters by name. */
export type ParameterValues = Readonly<Record<string, number | undefined>>;

const bad = (name: string, message: string): CoreError => new CoreError("bad-parameter", `${name} ${message}`, { column: name });

function checkNumber(spec: NumberSpec, value: unknown): number | undefined {
  if (value === undefined) return spec.default;
  const kind = spec.type === "integer" ? "a whole number" : "a number";
  if (typeof value !== "number" || !Number.isFinite(value))
    throw bad(spec.name, `must be ${kind}, got ${JSON.stringify(value) ?? typeof value}`);
  if (spec.type === "integer" && !Number.isInteger(value)) throw bad(spec.name, `must be a whole number, got ${value}`);
  const { min, max } = spec;
  if (value < min || (max !== undefined && value > max)) {
    throw bad(spec.name, `must be ${max === undefined ? `${min} or more` : `between ${min} and ${max}`}, got ${value}`);
  }
  return value;
}

/**
 * Checks parameters against their specifications and fills in the defaults: the one place where they are judged.
 * @throws CoreError `bad-parameter`, whose `column` names the parameter
 */
export function checkParameters(specs: readonly ParameterSpec[], given: unknown): ParameterValues {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw bad("parameters", "must be an object");
  const values: Record<string, number | undefined> = {};
  for (const name of Object.keys(given)) {
    if (!specs.some((spec) => spec.name === name)) {
      throw bad(name, `is not a parameter of this search; it has ${specs.map((spec) => spec.name).join(", ")}`);
    }
  }
  for (const spec of specs) {
    const value = checkNumber(spec, Object.hasOwn(given, spec.name) ? (given as Record<string, unknown>)[spec.name] : undefined);
    if (value !== undefined) values[spec.name] = value;
  }
  return values;
}

/**
 * Reads the text of a parameter, as a command line gives it; the result is for `checkParameters` to judge.
 * @throws CoreError `bad-parameter` when the text is no value of the parameter's type
 */
export function parseParameter(spec: ParameterSpec, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value))
    throw bad(spec.name, `must be ${spec.type === "integer" ? "a whole number" : "a number"}, got ${JSON.stringify(text)}`);
  return value;
}
