/** Groups and their checks with counts: the root_group of handleSummary. */
import { createHash } from "node:crypto";

/** k6 names groups and checks by the MD5 of their path. */
const idOf = (path: string): string => createHash("md5").update(path).digest("hex");

export class CheckNode {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  passes = 0;
  fails = 0;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
    this.id = idOf(path);
  }
}

export class GroupNode {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly #groups = new Map<string, GroupNode>();
  readonly #stages = new Set<GroupNode>();
  readonly #checks = new Map<string, CheckNode>();

  private constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
    this.id = idOf(path);
  }

  static root(): GroupNode {
    return new GroupNode("", "");
  }

  group(name: string): GroupNode {
    let node = this.#groups.get(name);
    if (node === undefined) {
      node = new GroupNode(name, `${this.path}::${name}`);
      this.#groups.set(name, node);
    }
    return node;
  }

  check(name: string): CheckNode {
    let node = this.#checks.get(name);
    if (node === undefined) {
      node = new CheckNode(name, `${this.path}::${name}`);
      this.#checks.set(name, node);
    }
    return node;
  }

  get #empty(): boolean {
    return this.#checks.size === 0 && [...this.#groups.values()].every((group) => group.#empty);
  }

  /** The group that setup(), teardown() or handleSummary() run in: shown only when it holds something. */
  stage(name: string): GroupNode {
    const node = this.group(name);
    this.#stages.add(node);
    return node;
  }

  /** As handleSummary gets it. */
  summary(): Record<string, unknown> {
    return {
      name: this.name,
      path: this.path,
      id: this.id,
      groups: [...this.#groups.values()]
        .filter((group) => !(this.#stages.has(group) && group.#empty))
        .map((group) => group.summary()),
      checks: [...this.#checks.values()].map(({ name, path, id, passes, fails }) => ({
        name,
        path,
        id,
        passes,
        fails,
      })),
    };
  }
}
