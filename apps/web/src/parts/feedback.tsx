import type { ReactNode } from "react";

/** What went wrong, and what to do. */
export function Problem({ error, again }: { readonly error: Error; readonly again?: () => void }): ReactNode {
  return (
    <div role="alert" className="error">
      <p>{error.message}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export const Waiting = (): ReactNode => <p role="status">Loading …</p>;
