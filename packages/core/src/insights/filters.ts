/** Filters that several insights share, as Elasticsearch's DSL has them. */
type Clause = Readonly<Record<string, unknown>>;

/** DNS and DNS over TLS; not the name services of a local network. */
export const DNS_PORTS: Clause = {
  bool: { should: [{ terms: { resp_p: [53, 853] } }, { bool: { must_not: [{ exists: { field: "resp_p" } }] } }], minimum_should_match: 1 },
};

/** Answers that are none: another code than NOERROR, or refused. */
export const DNS_FAILED: Clause = {
  bool: {
    should: [{ bool: { filter: [{ exists: { field: "rcode" } }], must_not: [{ term: { rcode: 0 } }] } }, { term: { rejected: true } }],
    minimum_should_match: 1,
  },
};

/** Multicast and broadcast. */
export const MULTICAST_RESPONDER: Clause = { terms: { resp_h: ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"] } };

/** From an internal host to an external one. */
export const OUTBOUND: readonly Clause[] = [{ term: { orig_internal: true } }, { term: { resp_internal: false } }];

/** CloudTrail events of some names, of one source where several have such names. */
export const events = (source: string | undefined, names: readonly string[]): Clause => ({
  bool: { filter: [{ terms: { eventName: names } }, ...(source === undefined ? [] : [{ term: { eventSource: source } }])] },
});
