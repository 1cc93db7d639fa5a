import { type ReactNode, useState } from "react";
import { apiKey, ask } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { useAnswer } from "../use-answer.js";
import { shown, time } from "../words.js";

/** The key of this browser, and how the server is set. */
export function Settings(): ReactNode {
  const { answer, error, again } = useAnswer<Readonly<Record<string, unknown>>>("/api/application/configuration");
  const [key, setKey] = useState(apiKey.get());
  return (
    <>
      <h1>Settings</h1>
      <form
        className="row card"
        onSubmit={(event) => {
          event.preventDefault();
          apiKey.set(key.trim());
          again();
        }}
      >
        <label>
          API key <span>(kept until this tab is closed)</span>
          <br />
          <input type="password" autoComplete="off" value={key} onChange={(event) => setKey(event.target.value)} />
        </label>
        <button className="main" type="submit">
          Use it
        </button>
      </form>
      <Keys />
      <h2>Configuration in force</h2>
      <p className="help">
        Filters, internal networks and the defaults of searches come from <code>heliograph.config.json</code> on the server.
      </p>
      {error ? <Problem error={error} again={again} /> : !answer ? <Waiting /> : <Pre value={answer} />}
    </>
  );
}

const Pre = ({ value }: { readonly value: unknown }): ReactNode => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
  <pre tabIndex={0}>{JSON.stringify(value, undefined, 2)}</pre>
);

interface Key {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** API keys, where the server lets them be made over this page: on its own machine. */
function Keys(): ReactNode {
  const { answer: keys, error, again } = useAnswer<readonly Key[]>("/api/keys");
  const [name, setName] = useState("");
  const [made, setMade] = useState<string>();
  const [failure, setFailure] = useState<Error>();
  if (error) return <p className="notice">{error.message}</p>;
  if (!keys) return <Waiting />;
  const change = (work: Promise<{ readonly key?: string }>): void => {
    setFailure(undefined);
    work.then(
      ({ key }) => {
        setMade(key);
        // From now on this page needs one too.
        if (key !== undefined && apiKey.get() === "") apiKey.set(key);
        again();
      },
      (cause: unknown) => setFailure(cause as Error),
    );
  };
  return (
    <>
      <h2>API keys</h2>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          change(ask("/api/keys", { method: "POST", body: { name: name.trim() } }));
        }}
      >
        <label>
          What a new key is for
          <br />
          <input required value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit">Make a key</button>
      </form>
      {failure && <Problem error={failure} />}
      {made !== undefined && (
        <p className="notice" role="status">
          Copy it now, it is not shown again: <code>{made}</code>. From now on every call to the server needs a key; this tab uses this one.
        </p>
      )}
      {keys.length === 0 ? (
        <p className="notice">There are no keys: whoever reaches the server by localhost may use it.</p>
      ) : (
        <ul>
          {keys.map(({ id, name: own, createdAt, revokedAt }) => (
            <li key={id}>
              {shown(own)}, made {time(createdAt)}
              {revokedAt === null ? (
                <>
                  {" "}
                  <button type="button" onClick={() => change(ask(`/api/keys?id=${encodeURIComponent(id)}`, { method: "DELETE" }))}>
                    Revoke
                  </button>
                </>
              ) : (
                ", revoked"
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
