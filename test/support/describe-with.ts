/**
 * `describe` for what needs a part that a machine may lack. Without it the tests are skipped, and the name says what to
 * do.
 */
export function describeWith(problem: string | undefined, name: string, tests: () => void): void {
	if (problem === undefined) describe(name, tests);
	else describe.skip(`${name} (${problem.replace(/\s+/g, ' ')})`, tests);
}
