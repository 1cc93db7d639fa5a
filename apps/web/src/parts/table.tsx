import type { ReactNode } from "react";

/** A table: the names of its columns, those of numbers among them, and its rows. */
export function Table({
  head,
  numbers = [],
  children,
}: {
  readonly head: readonly string[];
  readonly numbers?: readonly string[];
  readonly children: ReactNode;
}): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          {head.map((name) => (
            <th key={name} scope="col" className={numbers.includes(name) ? "n" : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
