import { type ReactNode, useState } from "react";
import { ask } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Table } from "../parts/table.js";
import { useAnswer } from "../use-answer.js";
import { shown } from "../words.js";

type Host = Readonly<Record<string, string>>;

/** Hosts that are left out of all results. */
export function Hosts(): ReactNode {
  const { answer: hosts, error, again } = useAnswer<readonly Host[]>("/api/results/filter_host");
  const [ip, setIp] = useState("");
  const [description, setDescription] = useState("");
  const [failure, setFailure] = useState<Error>();
  if (error) return <Problem error={error} again={again} />;
  if (!hosts) return <Waiting />;
  const change = (method: "POST" | "DELETE", host: string): void => {
    setFailure(undefined);
    const query = new URLSearchParams({ ip: host, ...(method === "POST" && description !== "" && { description }) });
    ask(`/api/results/filter_host?${query}`, { method }).then(
      () => {
        setIp("");
        again();
      },
      (cause: unknown) => setFailure(cause as Error),
    );
  };
  const address = (host: Host): string => host["ip"] ?? host["IP"] ?? Object.values(host)[0] ?? "";
  return (
    <>
      <h1>Filtered hosts</h1>
      <form
        className="row card"
        onSubmit={(event) => {
          event.preventDefault();
          change("POST", ip.trim());
        }}
      >
        <label>
          Address
          <br />
          <input required value={ip} onChange={(event) => setIp(event.target.value)} />
        </label>
        <label>
          Why
          <br />
          <input value={description} onChange={(event) => setDescription(event.target.value)} />
        </label>
        <button className="main" type="submit">
          Leave it out
        </button>
      </form>
      {failure && <Problem error={failure} />}
      {hosts.length === 0 ? (
        <p className="notice">No host is filtered. What stands here is left out of all results, past and future.</p>
      ) : (
        <div className="scroll">
          <Table head={[...Object.keys(hosts[0] ?? {}), "Actions"]}>
            {hosts.map((host) => (
              <tr key={address(host)}>
                {Object.entries(host).map(([name, value]) => (
                  <td key={name}>{shown(String(value))}</td>
                ))}
                <td>
                  <button type="button" onClick={() => change("DELETE", address(host))}>
                    Show again
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
