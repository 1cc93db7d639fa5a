/** Random numbers that a seed decides (mulberry32), and the distributions that the generators draw from. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0;
  }

  /** 0 <= x < 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + (high - low) * this.next();
  }

  /** A whole number, low <= x <= high. */
  whole(low, high) {
    return low + Math.floor((high - low + 1) * this.next());
  }

  /** As likely in each decade. */
  logBetween(low, high) {
    return low * (high / low) ** this.next();
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  chance(probability) {
    return this.next() < probability;
  }

  exponential(mean) {
    return -mean * Math.log(1 - this.next());
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  logNormal(median, sigma) {
    return median * Math.exp(sigma * this.normal());
  }

  poisson(mean) {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    let count = 0;
    for (let left = Math.exp(-mean), product = this.next(); product > left; product *= this.next()) count++;
    return count;
  }
}
