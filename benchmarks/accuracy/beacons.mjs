// The beacons that the accuracy bench plants, by class. Each is a list of calls: seconds since the capture's start.

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Calls at most: a beacon that sleeps half a second is active for part of the capture alone. */
const MOST_CALLS = 2000;
export const FEWEST_CALLS = 24;

const none = (_random, sleep) => sleep;
const uniform = (jitter) => (random, sleep) => sleep * (1 + jitter * (2 * random.next() - 1));
/** As many C2 frameworks have it: sleep less the jitter, or sleep and the jitter on top. */
const oneSided = (jitter) => (random, sleep) => sleep * (1 - jitter * random.next());
const onTop = (jitter) => (random, sleep) => sleep * (1 + jitter * random.next());
const normal = (jitter) => (random, sleep) => Math.max(0.05 * sleep, sleep * (1 + (jitter / 2) * random.normal()));

/** Sleeps one after the other from a start to an end; `next` may change from call to call. */
function sleeps(random, { start, end, sleep, next }) {
  const calls = [];
  for (let at = start; at < end && calls.length < MOST_CALLS; at += next(random, sleep, calls.length)) calls.push(at);
  return calls;
}

/** When a beacon is active: the whole capture, or enough of it. */
function activity(random, capture, sleep) {
  const whole = Math.min(capture, sleep * MOST_CALLS);
  const least = Math.min(whole, sleep * FEWEST_CALLS * 1.2);
  const length = random.chance(0.5) ? whole : random.logBetween(least, whole);
  const start = random.between(0, Math.max(0, capture - length)) * (random.chance(0.5) ? 1 : 0) + random.between(0, sleep);
  return { start, end: Math.min(capture, start + length) };
}

/** A sleep that leaves room for enough calls. */
const sleepFor = (random, capture, low, high) => random.logBetween(low, Math.min(high, capture / (1.6 * FEWEST_CALLS)));

const jittered = (low, high, shapes) => (random, capture) => {
  const sleep = sleepFor(random, capture, 5, HOUR);
  const jitter = random.between(low, high);
  const shape = random.pick(shapes)(jitter);
  return { sleep, jitter, calls: sleeps(random, { ...activity(random, capture, sleep), sleep, next: shape }) };
};

/** The classes. Each draws a beacon for a capture of so many seconds. */
export const BEACON_CLASSES = {
  fixed: (random, capture) => {
    const sleep = sleepFor(random, capture, 5, HOUR);
    return {
      sleep,
      jitter: 0,
      calls: sleeps(random, { ...activity(random, capture, sleep), sleep, next: none }).map((at) => at + random.exponential(0.1)),
    };
  },
  "uniform jitter": jittered(0.05, 0.5, [uniform]),
  "normal jitter": jittered(0.05, 0.5, [normal]),
  "one-sided jitter": jittered(0.05, 0.5, [oneSided, onTop]),
  "high jitter": jittered(0.5, 0.8, [uniform, normal, oneSided, onTop]),
  fast: (random, capture) => {
    const sleep = random.logBetween(0.5, 5);
    const shape = random.pick([uniform, oneSided])(random.between(0, 0.5));
    return { sleep, calls: sleeps(random, { ...activity(random, capture, sleep), sleep, next: shape }) };
  },
  slow: (random, capture) => {
    const sleep = sleepFor(random, capture, HOUR, 12 * HOUR);
    const shape = random.pick([uniform, oneSided, normal])(random.between(0, 0.5));
    return { sleep, calls: sleeps(random, { start: random.between(0, sleep), end: capture, sleep, next: shape }) };
  },
  missed: (random, capture) => {
    const sleep = sleepFor(random, capture / 1.5, 5, HOUR);
    const shape = random.pick([uniform, oneSided, normal])(random.between(0, 0.5));
    const calls = sleeps(random, { ...activity(random, capture, 1.5 * sleep), sleep, next: shape });
    return { sleep, calls: calls.filter(() => !random.chance(0.3)) };
  },
  extra: (random, capture) => {
    const sleep = sleepFor(random, capture, 5, HOUR);
    const shape = random.pick([uniform, oneSided])(random.between(0, 0.3));
    const { start, end } = activity(random, capture, sleep);
    const calls = sleeps(random, { start, end, sleep, next: shape });
    const last = calls.at(-1);
    const visits = Array.from({ length: Math.floor(calls.length * random.between(0.1, 0.4)) }, () => random.between(start, last));
    return { sleep, calls: [...calls, ...visits].sort((a, b) => a - b) };
  },
  "working hours": (random, capture) => {
    const sleep = random.logBetween(30, 1200);
    const next = random.pick([uniform, oneSided])(random.between(0, 0.4));
    const calls = [];
    for (let day = 0; day * DAY < capture; day++) {
      const start = day * DAY + random.between(7.5, 9.5) * HOUR;
      const end = Math.min(capture, day * DAY + random.between(16, 18.5) * HOUR);
      calls.push(...sleeps(random, { start, end, sleep, next }));
    }
    return { sleep, calls: calls.slice(0, MOST_CALLS) };
  },
  "two modes": (random, capture) => {
    const sleep = sleepFor(random, capture / 3, 5, HOUR / 2);
    const other = sleep * random.logBetween(2.5, 15);
    const jitter = random.between(0, 0.2);
    // Stays in a mode for a while, as an operator changes the sleep.
    let long = random.chance(0.5);
    const next = (inner) => {
      if (inner.chance(0.1)) long = !long;
      return uniform(jitter)(inner, long ? other : sleep);
    };
    return { sleep, calls: sleeps(random, { ...activity(random, capture, 2 * other), sleep, next }) };
  },
  drift: (random, capture) => {
    const sleep = sleepFor(random, capture / 1.5, 5, HOUR);
    const { start, end } = activity(random, capture, sleep);
    const factor = random.between(1.2, 2.2) ** (random.chance(0.5) ? 1 : -1);
    const jitter = random.between(0, 0.15);
    const many = (end - start) / sleep;
    const next = (inner, base, call) => uniform(jitter)(inner, base * factor ** Math.min(1, call / many));
    return { sleep, calls: sleeps(random, { start, end, sleep, next }) };
  },
};

/** The classes whose beacons jitter by at most a half and make at least 24 calls: what the target of 95 % is about. */
export const TARGET_CLASSES = ["fixed", "uniform jitter", "normal jitter", "one-sided jitter", "fast", "slow"];
