import { describeChanges, expectApproved } from './approved-table';
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
	expect(() => expectApproved(FILE, rows)).toThrow('"rows": 1');
});
