/**
 * `describe` for tests that need an optional part. With a `problem` they are skipped, and the name says why and what to do.
 */
export function describeWith(problem: string | undefined, name: string, tests: () => void): void {
	if (problem === undefined) describe(name, tests);
	else describe.skip(`${name} (${problem.replace(/\s+/g, ' ')})`, tests);
}
