// What the scripted peers share: times by key in a Map, and at the end the groups of 11 and more, sorted.

/** Connection times by group. */
export class TimesByKey {
  #groups = new Map();

  add(key, time) {
    const times = this.#groups.get(key);
    if (times) times.push(time);
    else this.#groups.set(key, [time]);
  }

  /** Sorts the groups of 11 and more and prints how many they are, and their rows. */
  print() {
    let largeGroups = 0;
    let rowsOfLargeGroups = 0;
    for (const times of this.#groups.values()) {
      if (times.length < 11) continue;
      times.sort((a, b) => a - b);
      largeGroups++;
      rowsOfLargeGroups += times.length;
    }
    console.log(JSON.stringify({ largeGroups, rowsOfLargeGroups }));
  }
}
