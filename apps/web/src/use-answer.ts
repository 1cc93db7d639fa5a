import { useCallback, useEffect, useState } from "react";
import { ask } from "./api.js";

/** What a question to the API came to so far. */
export interface Answered<Answer> {
  readonly answer: Answer | undefined;
  readonly error: Error | undefined;
  /** Asks again. */
  readonly again: () => void;
}

/** Asks the API; undefined: not yet. `everyMs`: asks again and again. */
export function useAnswer<Answer>(path: string | undefined, everyMs?: number): Answered<Answer> {
  const [state, setState] = useState<{ path?: string; answer?: Answer; error?: Error }>({});
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((last) => last + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another turn asks again
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    ask<Answer>(path, { signal: stop.signal }).then(
      (answer) => setState({ path, answer }),
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ path, error: error as Error });
      },
    );
    const timer = everyMs === undefined ? undefined : setInterval(again, everyMs);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [path, turn, everyMs, again]);
  const isCurrent = state.path === path;
  return { answer: isCurrent ? state.answer : undefined, error: isCurrent ? state.error : undefined, again };
}
