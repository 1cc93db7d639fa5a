import type { ReactNode } from "react";

/** Counts as bars. */
export function Sparkline({ counts, label }: { readonly counts: readonly number[]; readonly label: string }): ReactNode {
  const most = Math.max(...counts, 1);
  return (
    <svg className="spark" viewBox={`0 0 ${counts.length} 10`} preserveAspectRatio="none" role="img" aria-label={label}>
      {counts.map((count, place) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
        count === 0 ? null : <rect key={place} x={place} y={10 - (10 * count) / most} width={0.9} height={(10 * count) / most} />,
      )}
    </svg>
  );
}
