/**
 * The first `size` of some numbers by an order, sorted: by a heap of that size, since few of many are wanted.
 */
export function firstBy(numbers: Int32Array, size: number, compare: (a: number, b: number) => number): number[] {
  if (size >= numbers.length) return Array.from(numbers).sort(compare);
  if (size <= 0) return [];
  // The heap's top is the last of those kept.
  const heap: number[] = [];
  const sink = (from: number): void => {
    let at = from;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && compare(heap[child] as number, heap[worst] as number) > 0) worst = child;
      }
      if (worst === at) return;
      [heap[at], heap[worst]] = [heap[worst] as number, heap[at] as number];
      at = worst;
    }
  };
  for (const number of numbers) {
    if (heap.length < size) {
      heap.push(number);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (compare(heap[at] as number, heap[parent] as number) <= 0) break;
        [heap[at], heap[parent]] = [heap[parent] as number, heap[at] as number];
        at = parent;
      }
    } else if (compare(number, heap[0] as number) < 0) {
      heap[0] = number;
      sink(0);
    }
  }
  return heap.sort(compare);
}
