/**
 * Words of a server explain, and never decide: whatever an error response says, the same requests follow, with the same
 * items and the same learned state; the title has the first sentence of the server, and the advice needs no words.
 *
 * `npm test` plays some rows, `npm run test:properties` all of them with three seeds. What fails is in `reword.known.ts`.
 * `REWORD_WRITE=1 npm test -- test/guarantees/reword.test.ts` writes there what these rows gave (with `PROPERTY_RUNS=10`:
 * all of them); `npx oxfmt test/guarantees/reword.known.ts` formats it.
 */
import { isNightly, seed } from '../support/jest/properties';
import { expectNoProblems } from '../faults/harness';
import { listOperations } from '../faults/operations';
import process from 'node:process';
import { useClock } from './support/fake-clock';
import {
	countFindings,
	findProblems,
	updateKnownRows,
	writeKnown,
} from './support/reword/known-rows';
import type { KnownCounts } from './support/reword/known-rows';
import { findSubjects, playRows } from './support/reword/play';
import type { Finding, Row, Subject } from './support/reword/play';
import { listPublicResponses, listResponses } from './support/reword/responses';
import { listPublicRows, listRows, selectRows } from './support/reword/rows';
import { KNOWN, KNOWN_PUBLIC } from './reword.known';

const isWriting = process.env.REWORD_WRITE === '1';
/** One seed finds what depends on words; the others find what depends on these. */
const seeds = isNightly ? [seed, seed + 1, seed + 2] : [seed];

const clock = useClock();
let subjects: Subject[] = [];
const found = new Map<Row, Finding[]>();
let counts: KnownCounts = KNOWN_PUBLIC;

/** The clock of a test is needed, so the first test finds them. */
async function getSubjects(): Promise<Subject[]> {
	if (subjects.length === 0) subjects = await findSubjects(await listOperations(), clock);
	return subjects;
}

async function play(rows: readonly Row[]): Promise<Map<Row, Finding[]>> {
	const played = await playRows(rows, { clock, seeds });
	for (const [row, findings] of played) found.set(row, findings);
	return played;
}

afterAll(() => {
	if (!isWriting) return;
	const rows = listRows(responses, subjects);
	writeKnown(updateKnownRows(KNOWN, { found, rows }), counts);
});

const responses = listResponses();

/** As many rows as are played at the same time. */
const BATCH = 60;

const toBatches = <T>(rows: readonly T[]): T[][] =>
	Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, index) =>
		rows.slice(index * BATCH, (index + 1) * BATCH),
	);

if (isNightly) {
	test.each(responses)('$name: nothing depends on its words', async (response) => {
		const rows = listRows(responses, await getSubjects()).filter(
			(row) => row.response === response,
		);
		for (const batch of toBatches(rows)) await play(batch);
		const own = new Map([...found].filter(([row]) => row.response === response));
		expectNoProblems(isWriting ? [] : findProblems(own, KNOWN));
	});

	test('public error responses: no more and no fewer than is known depend on their words', async () => {
		const rows = listPublicRows(listPublicResponses(), await getSubjects());
		const played = new Map<Row, Finding[]>();
		for (const batch of toBatches(rows))
			for (const [row, findings] of await playRows(batch, { clock, seeds: [seed] }))
				played.set(row, findings);
		const expected = isWriting ? countFindings(played) : KNOWN_PUBLIC;
		counts = expected;
		expect(countFindings(played)).toEqual(expected);
	});
} else
	test('nothing depends on the words of an error response', async () => {
		const rows = selectRows(listRows(responses, await getSubjects()));
		const played = await play(rows);
		expect(played.size).toBeGreaterThan(50);
		expectNoProblems(isWriting ? [] : findProblems(played, KNOWN));
	});

test('a row of the table is about a response and an operation that there are', async () => {
	const names = new Set((await getSubjects()).map(({ operation }) => operation.name));
	const wrong = KNOWN.filter(
		({ response, operations }) =>
			!responses.some(({ name }) => name === response) ||
			(operations !== 'all' &&
				operations.some((operation) => !names.has(operation.replace(/ \(once\)$/, '')))),
	);
	expect(wrong).toEqual([]);
});
