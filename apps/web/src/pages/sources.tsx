import { type ReactNode, useState } from "react";
import { ask } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Table } from "../parts/table.js";
import { useAnswer } from "../use-answer.js";
import { shown } from "../words.js";

interface Source {
  readonly name: string;
  readonly path?: string;
  readonly kind?: string;
  readonly url?: string;
  readonly indexes?: Readonly<Record<string, string>>;
}

const EMPTY = { name: "", kind: "path", path: "", url: "https://", index: "", preset: "zeek", username: "", password: "" };

/** Folders and clusters under names. */
export function Sources(): ReactNode {
  const { answer: sources, error, again } = useAnswer<readonly Source[]>("/api/data_sources");
  const [form, setForm] = useState(EMPTY);
  const [failure, setFailure] = useState<Error>();
  const [tested, setTested] = useState<string>();
  if (error) return <Problem error={error} again={again} />;
  if (!sources) return <Waiting />;
  const attempt = (work: Promise<unknown>, done: (answer: unknown) => void): void => {
    setFailure(undefined);
    setTested(undefined);
    work.then(done, (cause: unknown) => setFailure(cause as Error));
  };
  const { name, kind, path, url, index, preset, username, password } = form;
  const field = (key: keyof typeof EMPTY, title: string, type = "text"): ReactNode => (
    <label>
      {title}
      <br />
      <input type={type} autoComplete="off" value={form[key]} onChange={(event) => setForm({ ...form, [key]: event.target.value })} />
    </label>
  );
  const add = (): void => {
    const body =
      kind === "path"
        ? { name, path }
        : { name, kind, url, indexes: { conn_logs: index }, preset, ...(username !== "" && { username, password }) };
    attempt(ask("/api/data_sources", { method: "POST", body }), () => {
      setForm(EMPTY);
      again();
    });
  };
  return (
    <>
      <h1>Data sources</h1>
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <div className="row">
          {field("name", "Name")}
          <label>
            Kind
            <br />
            <select value={kind} onChange={(event) => setForm({ ...form, kind: event.target.value })}>
              {["path", "elasticsearch", "opensearch", "security-onion"].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          {kind === "path" ? (
            field("path", "Path as log_dir names it, such as /logs/today")
          ) : (
            <>
              {field("url", "Address")}
              {field("index", "Index of connection logs")}
              <label>
                Fields are called as
                <br />
                <select value={preset} onChange={(event) => setForm({ ...form, preset: event.target.value })}>
                  {["zeek", "ecs", "malcolm", "security-onion"].map((one) => (
                    <option key={one}>{one}</option>
                  ))}
                </select>
              </label>
              {field("username", "Name there")}
              {field("password", "Password", "password")}
            </>
          )}
          <button className="main" type="submit">
            Save
          </button>
        </div>
      </form>
      {failure && <Problem error={failure} />}
      {tested !== undefined && (
        <pre role="status" aria-label="What the test said">
          {tested}
        </pre>
      )}
      {sources.length === 0 ? (
        <p className="notice">There is no data source. Folders of the server can be hunted in without one.</p>
      ) : (
        <div className="scroll">
          <Table head={["Name", "Kind", "Where", "Actions"]}>
            {sources.map((source) => (
              <tr key={source.name}>
                <td>{shown(source.name)}</td>
                <td>{source.kind ?? "path"}</td>
                <td>{shown(source.path ?? `${source.url ?? ""} ${Object.values(source.indexes ?? {}).join(", ")}`)}</td>
                <td className="row">
                  <button
                    type="button"
                    onClick={() =>
                      attempt(ask(`/api/data_sources/${encodeURIComponent(source.name)}/test`, { method: "POST" }), (answer) =>
                        setTested(JSON.stringify(answer, undefined, 2)),
                      )
                    }
                  >
                    Test
                  </button>
                  <button
                    type="button"
                    onClick={() => {
                      if (confirm(`Forget the data source ${source.name}?`))
                        attempt(ask(`/api/data_sources?name=${encodeURIComponent(source.name)}`, { method: "DELETE" }), again);
                    }}
                  >
                    Forget
                  </button>
                </td>
              </tr>
            ))}
          </Table>
        </div>
      )}
    </>
  );
}
