import type { ReactNode } from "react";
import type { ParameterSpec, SearchInfo } from "../api.js";

/** Texts that the user gave, by parameter; an empty one means the default. */
export type Given = Readonly<Record<string, string>>;

const JSON_TYPES = new Set(["integers", "spans", "weights", "services"]);

/** What the texts mean. @throws SyntaxError for a text that is no JSON where it must be */
export function valuesOf({ parameters }: SearchInfo, given: Given): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, type } of parameters) {
    const text = given[name]?.trim() ?? "";
    if (text === "") continue;
    if (!JSON_TYPES.has(type)) values[name] = Number(text);
    else {
      try {
        values[name] = JSON.parse(text);
      } catch (cause) {
        throw new SyntaxError(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
    }
  }
  return values;
}

const defaultText = ({ default: value }: ParameterSpec): string =>
  value === undefined ? "none" : typeof value === "object" ? JSON.stringify(value).slice(0, 60) : String(value);

/** Fields for the parameters of a search, each with its default, unit and meaning. */
export function ParameterForm({
  search,
  given,
  change,
}: {
  readonly search: SearchInfo;
  readonly given: Given;
  readonly change: (given: Given) => void;
}): ReactNode {
  return (
    <fieldset className="card">
      <legend>{search.title}</legend>
      <p className="help">{search.description}</p>
      <div className="grid">
        {search.parameters.map((spec) => (
          <label key={spec.name}>
            {spec.name.replaceAll("_", " ")}
            {spec.unit ? <span> ({spec.unit})</span> : null}
            <br />
            <input
              type={JSON_TYPES.has(spec.type) ? "text" : "number"}
              step={spec.type === "integer" ? 1 : "any"}
              min={spec.min}
              max={spec.max}
              placeholder={defaultText(spec)}
              value={given[spec.name] ?? ""}
              onChange={(event) => change({ ...given, [spec.name]: event.target.value })}
            />
            <br />
            <span>{spec.description}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
