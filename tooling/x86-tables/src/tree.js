// @ts-check
// Builds the decision nodes: for each opcode of each map a small tree over the selectors that tell its forms apart.
// A node is [selector, child for value 0, child for value 1, …]; a child below NODE is a form (0: no instruction),
// else NODE plus the node's position. Equal nodes are shared.

/** @typedef {"option0"|"option1"|"option2"|"prefix"|"mod"|"reg"|"rm"|"rexB"|"w"|"length"|"operandSize"|"addressSize"} Selector */

/** Selectors in the order in which they are asked, with their number of values; the index is the selector's number in a node. */
export const SELECTORS = /** @type {[Selector, number][]} */ ([
  ["operandSize", 3],
  ["reg", 8],
  ["mod", 2],
  ["prefix", 4],
  ["w", 2],
  ["length", 4],
  ["addressSize", 3],
  ["rm", 8],
  ["rexB", 2],
  ["option0", 2],
  ["option1", 2],
  ["option2", 2],
]);
const ORDER = /** @type {Selector[]} */ ([
  "option0",
  "option1",
  "option2",
  "prefix",
  "mod",
  "reg",
  "rm",
  "rexB",
  "w",
  "length",
  "addressSize",
  "operandSize",
]);
export const NODE = 0x8000;
/** A child from here to NODE is a triple: the form by operand size 16, 32 and 64, the question that is asked last and most often. */
export const TRIPLE = 0x6000;

/** @typedef {{ id: number, constraints: import("./expansion.js").Constraints, wide: boolean, name: string }} Candidate */

export class Tree {
  constructor() {
    /** @type {number[]} */
    this.nodes = [];
    /** @type {Map<string, number>} */
    this.known = new Map();
    /** @type {number[]} */
    this.triples = [];
  }

  /** @param {Candidate[]} candidates @returns {number} the child value that stands for these candidates */
  build(candidates, depth = 0) {
    if (candidates.length === 0) return 0;
    for (let i = depth; i < ORDER.length; i++) {
      const selector = /** @type {Selector} */ (ORDER[i]);
      if (candidates.every((candidate) => candidate.constraints[selector] === undefined)) continue;
      const number = SELECTORS.findIndex(([name]) => name === selector);
      const values = /** @type {[Selector, number]} */ (SELECTORS[number])[1];
      const children = Array.from({ length: values }, (_, value) =>
        this.build(
          candidates.filter((candidate) => candidate.constraints[selector]?.includes(value) ?? true),
          i + 1,
        ),
      );
      if (children.every((child) => child === children[0])) return /** @type {number} */ (children[0]);
      const key = [number, ...children].join();
      if (number === 0) {
        let place = this.known.get(key);
        if (place === undefined) {
          place = this.triples.length;
          this.triples.push(...children);
          this.known.set(key, place);
          if (TRIPLE + place >= NODE) throw new Error("too many triples");
        }
        return TRIPLE + place;
      }
      let position = this.known.get(key);
      if (position === undefined) {
        position = this.nodes.length;
        this.nodes.push(number, ...children);
        this.known.set(key, position);
        if (position >= 0x10000 - NODE) throw new Error("too many decision nodes");
      }
      return NODE + position;
    }
    return best(candidates).id;
  }
}

/** @param {Candidate[]} candidates the most specific one wins; two equally specific ones are a mistake in the table */
function best(candidates) {
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: breadth(candidate.constraints) + (candidate.wide ? 1e6 : 0) }))
    .sort((a, b) => a.rank - b.rank);
  const [first, second] = ranked;
  if (!first) throw new Error("no candidate");
  if (second && second.rank === first.rank)
    throw new Error(`two forms claim one encoding: ${first.candidate.name} and ${second.candidate.name}`);
  return first.candidate;
}

/** @param {import("./expansion.js").Constraints} constraints */
function breadth(constraints) {
  let sum = 0;
  for (const [name, values] of SELECTORS) {
    const allowed = constraints[name];
    sum += Math.log2((allowed ? allowed.length : values) / values) * (name.startsWith("option") ? 8 : 1);
  }
  return Math.round(sum * 1000);
}
