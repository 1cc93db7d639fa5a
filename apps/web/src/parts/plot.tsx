import { type ReactNode, useEffect, useRef, useState } from "react";
import { Table } from "./table.js";

type PlotModule = typeof import("@observablehq/plot");

/** A chart of Observable Plot's, which is loaded when the first one is shown; `table`: the same for those who cannot see it. */
export function Chart({
  title,
  draw,
  table,
}: {
  readonly title: string;
  readonly draw: (plot: PlotModule, width: number) => Element;
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let alive = true;
    import("@observablehq/plot").then(
      (plot) => {
        if (!alive || !place.current) return;
        const chart = draw(plot, Math.max(280, place.current.clientWidth));
        chart.setAttribute("aria-hidden", "true");
        place.current.replaceChildren(chart);
      },
      () => setFailed(true),
    );
    return () => {
      alive = false;
    };
  }, [draw]);
  return (
    <figure className="card" style={{ margin: 0 }}>
      <figcaption>{title}</figcaption>
      {failed ? <p className="dim">The chart could not be loaded.</p> : <div ref={place} style={{ minHeight: "10rem" }} />}
      {table && (
        <details>
          <summary>As a table</summary>
          <div className="scroll">
            <Table head={table.head}>
              {table.rows.map((row) => (
                <tr key={row[0]}>
                  {row.map((cell, i) => (
                    <td key={table.head[i]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </Table>
          </div>
        </details>
      )}
    </figure>
  );
}
