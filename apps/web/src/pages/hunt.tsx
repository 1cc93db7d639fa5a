import { type ReactNode, useState } from "react";
import { ask, type SearchInfo } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { type Given, ParameterForm, valuesOf } from "../parts/parameter-form.js";
import { href } from "../route.js";
import { useAnswer } from "../use-answer.js";

interface Configuration {
  readonly roots: readonly string[];
}

interface Source {
  readonly name: string;
}

const NO_FILTER = { ports: "", notPorts: "", source: "", notSource: "", destination: "", notDestination: "", notStates: "", direction: "" };
type FilterTexts = typeof NO_FILTER;
const FILTER_FIELDS: readonly (readonly [key: keyof FilterTexts, title: string, example: string])[] = [
  ["ports", "Ports", "443, 8000-8100"],
  ["notPorts", "Not these ports", "53, 123"],
  ["source", "Sources", "10.0.0.0/8"],
  ["notSource", "Not these sources", ""],
  ["destination", "Destinations", ""],
  ["notDestination", "Not these destinations", "203.0.113.0/24"],
  ["notStates", "Not these connection states", "S0, REJ"],
];

/** The filter that the texts mean, as the API takes it; nothing where there is none. */
function filterOf(texts: FilterTexts): object {
  const list = (text: string): string[] =>
    text
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
  const choice = (name: string, include: string, exclude: string): object => {
    const [own, others] = [list(include), list(exclude)];
    return own.length + others.length === 0
      ? {}
      : { [name]: { ...(own.length > 0 && { include: own }), ...(others.length > 0 && { exclude: others }) } };
  };
  const filter = {
    ...choice("ports", texts.ports, texts.notPorts),
    ...choice("source", texts.source, texts.notSource),
    ...choice("destination", texts.destination, texts.notDestination),
    ...choice("conn_state", "", texts.notStates),
    ...(texts.direction !== "" && { direction: texts.direction }),
  };
  return Object.keys(filter).length === 0 ? {} : { filter };
}

/** Choose logs, searches and parameters, and start. */
export function Hunt(): ReactNode {
  const searches = useAnswer<readonly SearchInfo[]>("/api/searches");
  const configuration = useAnswer<Configuration>("/api/application/configuration");
  const sources = useAnswer<readonly Source[]>("/api/data_sources");
  const [place, setPlace] = useState("");
  const [below, setBelow] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>(["adaptive"]);
  const [given, setGiven] = useState<Readonly<Record<string, Given>>>({});
  const [bounds, setBounds] = useState({ start_dte: "", end_dte: "" });
  const [filter, setFilter] = useState(NO_FILTER);
  const [error, setError] = useState<Error>();
  const [starting, setStarting] = useState(false);
  const failed = searches.error ?? configuration.error ?? sources.error;
  if (failed) return <Problem error={failed} again={() => location.reload()} />;
  if (!searches.answer || !configuration.answer || !sources.answer) return <Waiting />;
  const roots = configuration.answer.roots;
  const places = [...roots.map((name) => `root ${name}`), ...sources.answer.map(({ name }) => `source ${name}`)];
  const at = place === "" ? (places[0] ?? "") : place;
  const start = async (): Promise<void> => {
    setStarting(true);
    setError(undefined);
    try {
      const [kind = "", ...name] = at.split(" ");
      const where =
        kind === "root"
          ? { log_dir: `/${name.join(" ")}${below === "" ? "" : `/${below.replace(/^\/+/, "")}`}` }
          : { data_source: name.join(" ") };
      let last = "";
      for (const search of searches.answer?.filter((one) => chosen.includes(one.name)) ?? []) {
        const body = { ...where, ...bounds, ...filterOf(filter), ...valuesOf(search, given[search.name] ?? {}) };
        const { beacon_group } = await ask<{ beacon_group: string }>(`/api/searches/${search.path}?async=true`, { method: "POST", body });
        last = beacon_group;
      }
      location.hash = chosen.length === 1 ? href(["runs", last]) : href(["runs"]);
    } catch (cause) {
      setError(cause as Error);
    } finally {
      setStarting(false);
    }
  };
  return (
    <>
      <h1>Hunt for beacons</h1>
      <p className="help">
        In logs that the server can read, or in files of yours <a href="#/local">in this browser</a>.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <fieldset className="card">
          <legend>Logs</legend>
          {places.length === 0 ? (
            <p className="notice">
              The server has no folder to search. Start it with <code>--root NAME=PATH</code>, or add a <a href="#/sources">data source</a>.
              Files of yours can be hunted in <a href="#/local">this browser</a>.
            </p>
          ) : (
            <div className="row">
              <label>
                Where
                <br />
                <select value={at} onChange={(event) => setPlace(event.target.value)}>
                  {places.map((name) => (
                    <option key={name} value={name}>
                      {name.replace(/^root /, "/").replace(/^source /, "data source ")}
                    </option>
                  ))}
                </select>
              </label>
              {at.startsWith("root ") && (
                <label>
                  Path below it <span>(empty: all of it)</span>
                  <br />
                  <input value={below} onChange={(event) => setBelow(event.target.value)} />
                </label>
              )}
              <label>
                From <span>(UTC; empty: no bound)</span>
                <br />
                <input
                  value={bounds.start_dte}
                  placeholder="2025-03-12T06:00:00Z"
                  onChange={(event) => setBounds({ ...bounds, start_dte: event.target.value })}
                />
              </label>
              <label>
                To
                <br />
                <input value={bounds.end_dte} onChange={(event) => setBounds({ ...bounds, end_dte: event.target.value })} />
              </label>
            </div>
          )}
        </fieldset>
        <fieldset className="card">
          <legend>Searches</legend>
          <div className="row">
            {searches.answer.map(({ name, title }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  onChange={(event) => setChosen(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
                />{" "}
                {title}
              </label>
            ))}
          </div>
        </fieldset>
        <details>
          <summary>Which connections</summary>
          <fieldset className="card">
            <legend>Filter</legend>
            <div className="grid">
              {FILTER_FIELDS.map(([key, title, example]) => (
                <label key={key}>
                  {title}
                  <br />
                  <input
                    value={filter[key]}
                    placeholder={example}
                    onChange={(event) => setFilter({ ...filter, [key]: event.target.value })}
                  />
                </label>
              ))}
              <label>
                Direction
                <br />
                <select value={filter.direction} onChange={(event) => setFilter({ ...filter, direction: event.target.value })}>
                  {["", "outbound", "inbound", "internal"].map((one) => (
                    <option key={one} value={one}>
                      {one === "" ? "any" : one}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <p className="help">
              Several are separated by commas. What you say of ports, say, takes the place of what the server's configuration says of them.
            </p>
          </fieldset>
        </details>
        {searches.answer
          .filter(({ name }) => chosen.includes(name))
          .map((search) => (
            <details key={search.name}>
              <summary>{search.title}: parameters</summary>
              <ParameterForm
                search={search}
                given={given[search.name] ?? {}}
                change={(own) => setGiven({ ...given, [search.name]: own })}
              />
            </details>
          ))}
        {error && <Problem error={error} />}
        <p>
          <button className="main" type="submit" disabled={starting || places.length === 0 || chosen.length === 0}>
            {starting ? "Starting …" : "Hunt"}
          </button>
        </p>
      </form>
    </>
  );
}
