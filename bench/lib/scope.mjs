// What a measurement started, so that it ends with it: the part of node:test's context that tests/support asks for.

export class Scope {
  constructor(name) {
    this.name = name;
    this.passed = true;
    this.endings = [];
  }

  /** Runs when the scope ends, last registered first. */
  after(ending) {
    this.endings.push(ending);
  }

  diagnostic() {}

  async end() {
    for (const ending of this.endings.splice(0).reverse()) {
      try {
        await ending();
      } catch (error) {
        process.stderr.write(`  (while ending ${this.name}: ${error.message})\n`);
      }
    }
  }
}

/** Runs `work(scope)` and ends what it started, whatever happens in it. */
export async function scoped(name, work) {
  const scope = new Scope(name);
  try {
    return await work(scope);
  } catch (error) {
    scope.passed = false;
    throw error;
  } finally {
    await scope.end();
  }
}

/** A measurement that cannot be taken here, with the reason that the table shows. */
export class Skip extends Error {}
