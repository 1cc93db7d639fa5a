import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { base } from "./api.js";
import { usePlace } from "./route.js";
import { zone } from "./words.js";

const Hunt = lazy(async () => ({ default: (await import("./pages/hunt.js")).Hunt }));
const Runs = lazy(async () => ({ default: (await import("./pages/runs.js")).Runs }));
const RunPage = lazy(async () => ({ default: (await import("./pages/run.js")).RunPage }));
const BeaconPage = lazy(async () => ({ default: (await import("./pages/beacon.js")).BeaconPage }));
const Hosts = lazy(async () => ({ default: (await import("./pages/hosts.js")).Hosts }));
const Sources = lazy(async () => ({ default: (await import("./pages/sources.js")).Sources }));
const Insights = lazy(async () => ({ default: (await import("./pages/insights.js")).Insights }));
const Query = lazy(async () => ({ default: (await import("./pages/query.js")).Query }));
const Settings = lazy(async () => ({ default: (await import("./pages/settings.js")).Settings }));
const Local = lazy(async () => ({ default: (await import("./pages/local.js")).Local }));

const PAGES = [
  ["hunt", "Hunt"],
  ["runs", "Runs"],
  ["insights", "Insights"],
  ["query", "Query"],
  ["hosts", "Filtered hosts"],
  ["sources", "Data sources"],
  ["settings", "Settings"],
  ["local", "This browser"],
] as const;

function PageOf({ parts }: { readonly parts: readonly string[] }): ReactNode {
  const [page, id, n] = parts;
  switch (page) {
    case "runs":
      return id === undefined ? <Runs /> : n === undefined ? <RunPage id={id} /> : <BeaconPage id={id} n={n} />;
    case "insights":
      return <Insights />;
    case "query":
      return <Query />;
    case "hosts":
      return <Hosts />;
    case "sources":
      return <Sources />;
    case "settings":
      return <Settings />;
    case "local":
      return <Local />;
    default:
      return <Hunt />;
  }
}

/** A fault of one page leaves the others. */
class Guard extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {};

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <div role="alert" className="error">
        <p>This page could not be shown: {this.state.error.message}</p>
        <button type="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </div>
    );
  }
}

export function App(): ReactNode {
  const { parts } = usePlace();
  const [, redraw] = useState(0);
  // Without a server there is only what this browser can do by itself.
  const [isServed, setServed] = useState(true);
  const isLocal = location.pathname.replace(/\/$/, "").endsWith("/local");
  useEffect(() => {
    if (isLocal) return;
    fetch(`${base()}healthz`).then(
      ({ ok }) => setServed(ok),
      () => setServed(false),
    );
  }, [isLocal]);
  const standsAlone = !isServed || isLocal;
  const page = standsAlone ? "local" : (parts[0] ?? "hunt");
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <a className="brand" href="#/">
          <span aria-hidden="true">☀</span> Heliograph
        </a>
        <nav aria-label="Pages">
          {PAGES.filter(([name]) => !standsAlone || name === "local").map(([name, title]) => (
            <a key={name} href={`#/${name}`} aria-current={page === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <label className="zone">
          Times in{" "}
          <select
            defaultValue={zone.isLocal() ? "local" : "utc"}
            onChange={(event) => {
              zone.set(event.target.value === "local");
              redraw((last) => last + 1);
            }}
          >
            <option value="utc">UTC</option>
            <option value="local">local time</option>
          </select>
        </label>
      </header>
      <main id="main" tabIndex={-1}>
        <Guard key={`${parts.join("/")} ${zone.isLocal()}`}>
          <Suspense fallback={<p role="status">Loading …</p>}>{standsAlone ? <Local /> : <PageOf parts={parts} />}</Suspense>
        </Guard>
      </main>
      <footer>
        {standsAlone ? "Nothing that you open here leaves this browser." : <a href={`${base()}api/docs`}>Interactive API documentation</a>}
      </footer>
    </>
  );
}
