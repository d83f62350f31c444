import { createServerError } from '../../../lib/errors/create-error';
import { describeChanges, expectApproved } from './approved-table';
import { canWrite, describeExcess, findExcess, isShrinking, readToDo } from './table-size';
import * as fs from 'node:fs';
import path from 'node:path';

const FILE = path.join(process.cwd(), 'test/lib/x.approved.txt');
const ADVICE =
	'Other outcomes than test/lib/x.approved.txt has. If each of these lines is right, write them: CONTRACT_WRITE=1 npm test -- test/lib';

test('the same table is no change', () => {
	expect(describeChanges(FILE, ['a => 1', 'b => 2'], ['a => 1', 'b => 2'])).toEqual([]);
});

test('a changed row is shown as it was and as it is, beside rows that came and went', () => {
	const approved = ['a => 1', 'b => 2', 'c => 3'];
	expect(describeChanges(FILE, approved, ['a => 1', 'b => 9', 'd => 4'])).toEqual([
		ADVICE,
		'- b => 2',
		'+ b => 9',
		'- c => 3',
		'+ d => 4',
	]);
});

test('another order is a change', () => {
	const changes = describeChanges(FILE, ['a => 1', 'b => 2'], ['b => 2', 'a => 1']);
	expect(changes).toEqual([ADVICE, 'The same rows, in another order.']);
});

test('a table has no input twice', () => {
	const rows = ['a', 'a'].map((input) => ({ input, outcome: 1 }));
	expect(() => expectApproved(FILE, rows, 'It is so')).toThrow('"rows": 1');
});

const NAME = 'test/lib/x.approved.txt';
const toRows = (count: number, width = 10) =>
	Array.from({ length: count }, (_none, at) => String(at).padStart(width, 'x'));

describe('a table is refused', () => {
	test.each([
		{ what: '100 rows', lines: toRows(100), excess: { rows: 0, wideRows: 0, rowsWithWords: 0 } },
		{ what: '101 rows', lines: toRows(101), excess: { rows: 101, wideRows: 0, rowsWithWords: 0 } },
		{
			what: '160 characters',
			lines: toRows(1, 160),
			excess: { rows: 0, wideRows: 0, rowsWithWords: 0 },
		},
		{
			what: '161 characters',
			lines: toRows(2, 161),
			excess: { rows: 0, wideRows: 2, rowsWithWords: 0 },
		},
		{
			what: 'words of an error',
			lines: ['a => Check the server log.', 'b => 1'],
			excess: { rows: 0, wideRows: 0, rowsWithWords: 1 },
		},
	])('$what', ({ lines, excess }) => {
		const words = ['Check the server log.'];
		expect(findExcess(NAME, lines, words)).toEqual(excess);
		expect(findExcess('test/lib/errors/error-types.approved.txt', lines, words)).toEqual({
			rows: 0,
			wideRows: 0,
			rowsWithWords: 0,
		});
	});

	test('for the words that a test file has produced', () => {
		const { suggestion } = createServerError('unauthorized', {});
		const rows = [{ input: 'a', outcome: suggestion }];
		expect(() => expectApproved(FILE, rows, 'It is so')).toThrow('rows with words of errors');
	});

	test('if it grows, and has to shrink its line in the list', () => {
		const before = { rows: 120, wideRows: 3, rowsWithWords: 0 };
		expect(describeExcess(before, before)).toEqual([]);
		expect(describeExcess({ ...before, rows: 121 }, before)).toEqual([
			'121 rows (maximum 100), and 120 before: it may not grow. What is larger becomes a rule: a property, or a sample with its reason.',
		]);
		expect(describeExcess({ ...before, wideRows: 2 }, before)).toEqual([
			'2 rows of more than 160 characters, fewer than the to-do list has: write the table.',
		]);
		expect([
			isShrinking({ ...before, rows: 119 }, before),
			isShrinking({ ...before, wideRows: 4 }, before),
			isShrinking({ ...before, rowsWithWords: 1 }, before),
		]).toEqual([true, false, false]);
		const ofNode = 'test/guarantees/panels.LocalLlama.approved.txt';
		expect([
			canWrite(NAME, { ...before, rows: 121 }, before),
			canWrite(ofNode, { ...before, rows: 121 }, before),
			canWrite(ofNode, { ...before, rowsWithWords: 1 }, before),
		]).toEqual([false, true, false]);
	});
});

/** All tables, with their numbers of rows and what is too large in them. */
const tables = fs
	.readdirSync('test', { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.approved.txt'))
	.map((file) => {
		const name = path.posix.join('test', file);
		const lines = fs.readFileSync(name, 'utf8').trimEnd().split('\n').slice(1);
		return { name, count: lines.length, excess: findExcess(name, lines, []) };
	});
const allRows = tables.reduce((sum, { count }) => sum + count, 0);

/** They only shrink. */
const MAX_ALL_ROWS = 13_700;
const MAX_TABLES = 186;
const AIM = '3,000';

test(`${tables.length} tables have ${allRows} rows: no more than before (the aim is ${AIM})`, () => {
	expect(tables.length).toBeLessThanOrEqual(MAX_TABLES);
	expect(allRows).toBeLessThanOrEqual(MAX_ALL_ROWS);
});

test('the to-do list has the tables that are too large, with their numbers', () => {
	const toDo = readToDo();
	const large = tables
		.filter(({ name }) => toDo.has(name))
		.map(({ name, excess: { rows, wideRows } }) => ({ name, rows, wideRows }))
		.sort((one, other) => (one.name < other.name ? -1 : 1));
	const listed = [...toDo].map(([name, { rows, wideRows }]) => ({ name, rows, wideRows }));
	expect(large).toEqual(listed);
});
