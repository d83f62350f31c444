/** The two lists of a run with planted bugs, as Markdown. */

/** @typedef {import('./types').Outcome} Outcome */

const MAX_CODE_LENGTH = 80;

/** @param {string} code @returns {string} on one line, without backticks, and not too long */
const shorten = (code) => {
	const line = code.replace(/\s+/g, ' ').replaceAll('`', "'").trim();
	return line.length > MAX_CODE_LENGTH ? `${line.slice(0, MAX_CODE_LENGTH)}…` : line;
};

/**
 * @param {Outcome} outcome
 * @param {(file: string) => string} read
 * @returns {string}
 */
const toRow = ({ bug: { file, line, kind, start, end, text }, reached }, read) => {
	const before = shorten(read(file).slice(start, end));
	const tests = reached === 0 ? 'no test runs it' : `${reached} test files run it`;
	return `- ${file}:${line}, ${kind}, ${tests}: \`${before}\` → \`${shorten(text)}\``;
};

/** @param {string} title @param {string[]} rows @returns {string[]} nothing if there are no rows */
const toSection = (title, rows) =>
	rows.length === 0 ? [] : [`## ${title}: ${rows.length}`, '', ...rows, ''];

/**
 * @param {Outcome[]} outcomes
 * @returns {string[]} tests that saw bugs, of which each was seen by another test too; only of bugs with which all were run
 */
export const findNeverAlone = (outcomes) => {
	/** @type {Map<string, { seen: number, alone: number }>} */
	const byTest = new Map();
	for (const { seenBy, isPartial } of outcomes) {
		if (isPartial) continue;
		for (const name of seenBy) {
			const count = byTest.get(name) ?? { seen: 0, alone: 0 };
			byTest.set(name, {
				seen: count.seen + 1,
				alone: count.alone + Number(seenBy.length === 1),
			});
		}
	}
	return [...byTest]
		.filter(([, { alone }]) => alone === 0)
		.map(([name, { seen }]) => `${name.replace(/\s+/g, ' ')} (${seen})`)
		.sort();
};

/** @param {Outcome} outcome @returns {'seen' | 'undecided' | 'unseen'} */
export const judge = ({ seenBy, isPartial }) => {
	if (seenBy.length > 0) return 'seen';
	return isPartial ? 'undecided' : 'unseen';
};

/**
 * @param {Outcome[]} outcomes
 * @param {(file: string) => string} read the text of a source
 * @returns {string} a page
 */
export const describeOutcomes = (outcomes, read) => {
	const rowsOf = (/** @type {ReturnType<typeof judge>} */ judgement) =>
		outcomes
			.filter((outcome) => judge(outcome) === judgement)
			.map((outcome) => toRow(outcome, read));
	return [
		`# ${rowsOf('seen').length} of ${outcomes.length} planted bugs were seen`,
		'',
		...toSection('Bugs that no test sees', rowsOf('unseen')),
		...toSection('Bugs whose tests took too long', rowsOf('undecided')),
		...toSection(
			'Tests that were never the only one to see a bug, with the number that they saw',
			findNeverAlone(outcomes).map((name) => `- ${name}`),
		),
	].join('\n');
};
