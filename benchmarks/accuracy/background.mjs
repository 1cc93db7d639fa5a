// What a network does besides: by kind of traffic, each a list of call times in seconds since the capture's start. None of it is
// a beacon, though some of it is as regular as one.

const HOUR = 3600;
const DAY = 24 * HOUR;
const MOST_CALLS = 1500;

/** How busy people are by the hour of the day. */
const OFFICE = [0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15, 0.5, 0.9, 1, 1, 0.95, 0.6, 0.8, 1, 1, 0.9, 0.7, 0.4, 0.3, 0.25, 0.2, 0.1, 0.05];

/** A time at which somebody is at work. */
function officeTime(random, capture) {
  for (;;) {
    const at = random.between(0, capture);
    if (random.chance(OFFICE[Math.floor(at / HOUR) % 24])) return at;
  }
}

/** Connections of one page load. */
function page(random, calls, at, most) {
  const count = random.whole(1, most);
  for (let i = 0, time = at; i < count; i++) {
    calls.push(time);
    time += random.exponential(0.15);
  }
}

/** Poisson at a rate that may follow the working day. */
function poisson(random, capture, mean, office) {
  const count = Math.min(MOST_CALLS, random.poisson(mean));
  return Array.from({ length: count }, () => (office ? officeTime(random, capture) : random.between(0, capture)));
}

/** Timers of one host: sleep with a jitter while the host is on. */
function timer(random, capture, sleep, jitter, office) {
  const calls = [];
  let day = 0;
  for (let at = random.between(0, sleep); at < capture && calls.length < MOST_CALLS; at += sleep * (1 + jitter * (random.next() - 0.5))) {
    if (office) {
      const hour = (at / HOUR) % 24;
      if (hour < 8 || hour > 17.5) {
        // Asleep until next morning; the timer starts again then.
        day = Math.floor(at / DAY) + (hour > 17.5 ? 1 : 0);
        at = day * DAY + random.between(8, 9) * HOUR;
        if (at >= capture) break;
      }
    }
    calls.push(at);
  }
  return calls;
}

/**
 * The kinds. `share`: of the groups of a background; `hosts`: how many internal hosts have such a group with the same
 * destination, from and to; `regular`: as regular as a beacon, and benign.
 */
export const BACKGROUND = {
  once: { share: 0.7, hosts: [1, 30], calls: (random, capture) => poisson(random, capture, random.between(0.3, 3), true) },
  browsing: {
    share: 0.14,
    hosts: [1, 400],
    calls(random, capture) {
      const calls = [];
      const sessions = random.poisson(Math.min(60, random.logBetween(1, 12) * Math.max(1, capture / DAY) ** 0.7));
      const most = random.pick([3, 8, 30]);
      for (let session = 0; session < sessions && calls.length < MOST_CALLS; session++) {
        let at = officeTime(random, capture);
        for (let pages = random.poisson(random.logBetween(1, 15)); pages >= 0 && at < capture; pages--) {
          page(random, calls, at, most);
          at += random.logNormal(40, 1.1);
        }
      }
      return calls;
    },
  },
  // Reloads what it shows after a while and on a click, as long as its page is open.
  feeds: {
    share: 0.01,
    hosts: [5, 400],
    calls(random, capture) {
      const calls = [];
      const every = random.logBetween(20, 300);
      for (let session = random.poisson(3); session >= 0; session--) {
        const start = officeTime(random, capture);
        const end = Math.min(capture, start + random.logNormal(HOUR, 0.8));
        for (let at = start; at < end && calls.length < MOST_CALLS; at += every * random.logNormal(1, 0.5) + random.exponential(every / 2))
          page(random, calls, at, 4);
      }
      return calls;
    },
  },
  streaming: {
    share: 0.004,
    hosts: [5, 200],
    calls(random, capture) {
      const calls = [];
      const segment = random.pick([2, 4, 6, 10]);
      for (let session = random.poisson(1); session >= 0; session--) {
        const start = officeTime(random, capture);
        const end = Math.min(capture, start + random.logNormal(0.4 * HOUR, 0.8));
        for (let at = start; at < end && calls.length < MOST_CALLS; at += segment * random.logNormal(1, 0.3))
          if (random.chance(0.3)) calls.push(at);
      }
      return calls;
    },
  },
  // Programs that talk to each other when there is something to say.
  machines: {
    share: 0.03,
    hosts: [1, 20],
    calls: (random, capture) => poisson(random, capture, random.logBetween(5, 1000), random.chance(0.5)),
  },
  // A connection is kept until it has been idle; then the next need opens another.
  keepalive: {
    share: 0.015,
    hosts: [1, 300],
    calls(random, capture) {
      const idle = random.pick([30, 60, 120, 300]);
      const need = idle * random.logBetween(0.7, 20);
      const calls = [];
      for (let at = random.exponential(need); at < capture && calls.length < MOST_CALLS; at += idle + random.exponential(need)) {
        if (random.chance(OFFICE[Math.floor(at / HOUR) % 24] + 0.1)) calls.push(at);
      }
      return calls;
    },
  },
  "batch jobs": {
    share: 0.005,
    hosts: [1, 10],
    calls(random, capture) {
      const calls = [];
      const every = random.pick([HOUR, 6 * HOUR, DAY]);
      const many = random.whole(5, 60);
      for (let at = random.between(0, every); at < capture && calls.length < MOST_CALLS; at += every) {
        let time = at + random.exponential(30);
        for (let i = random.poisson(many); i > 0; i--) {
          calls.push(time);
          time += random.exponential(2);
        }
      }
      return calls;
    },
  },
  dns: {
    share: 0.02,
    port: 53,
    hosts: [300, 1000],
    calls: (random, capture) => poisson(random, capture, random.logBetween(20, 800), true),
  },
  ntp: {
    share: 0.006,
    port: 123,
    regular: true,
    hosts: [50, 1000],
    calls: (random, capture) => timer(random, capture, random.pick([64, 256, 1024]), 0.03, random.chance(0.4)),
  },
  updates: {
    share: 0.012,
    regular: true,
    hosts: [100, 1000],
    named: true,
    calls: (random, capture) => timer(random, capture, random.pick([HOUR, 4 * HOUR, 6 * HOUR]), 0.4, random.chance(0.6)),
  },
  // Programs on many hosts that ask their maker's servers every so often.
  polling: {
    share: 0.006,
    regular: true,
    hosts: [40, 600],
    calls: (random, capture) =>
      timer(random, capture, random.pick([60, 120, 300, 600, 900, 1800]), random.pick([0, 0.1, 0.3]), random.chance(0.6)),
  },
  monitoring: {
    share: 0.006,
    regular: true,
    internal: true,
    port: 161,
    hosts: [1, 1],
    calls: (random, capture) => timer(random, capture, random.pick([60, 300, 900]), 0.02, false),
  },
  // Strangers who try every address they find, some of them again and again.
  scans: {
    share: 0.04,
    inbound: true,
    failed: 0.97,
    hosts: [1, 1],
    calls: (random, capture) =>
      random.chance(0.8)
        ? [random.between(0, capture)]
        : timer(random, capture, random.logBetween(600, 4 * HOUR), random.pick([0, 0.2]), false),
  },
  // One host in many thousand runs something harmless that asks a server of its own: nobody could tell by the connections.
  "lone timers": {
    share: 0.00004,
    regular: true,
    hosts: [1, 1],
    calls: (random, capture) => timer(random, capture, random.pick([300, 900, 1800, 3600]), random.pick([0, 0.1]), random.chance(0.5)),
  },
};
