import { type ReactNode, useState } from "react";
import { apiKey } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { useAnswer } from "../use-answer.js";

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
      <p className="help">
        Keys are made on the server, where it is at home: <code>heliograph keys create NAME</code>, <code>keys list</code> and{" "}
        <code>keys revoke NAME</code>.
      </p>
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
