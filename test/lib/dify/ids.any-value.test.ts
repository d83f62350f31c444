/** Any value as an ID, a user and a trace ID: what is sent, or the error. */
import { parseOptionalUuid, parseTraceId, parseUser, parseUuid } from '../../../lib/dify/ids';
import { expectApproved } from '../../support/approved/approved-table';
import { getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const ID = '3F1C9E52-7a40-4b0c-9d1e-5b2f8a6c7d90';
const VALUES: readonly unknown[] = [
	undefined,
	null,
	'',
	' ',
	ID,
	` ${ID}\n`,
	ID.replaceAll('-', ''),
	`${ID}0`,
	`x${ID}`,
	'null',
	'undefined',
	'a-b_c',
	'a b',
	'a'.repeat(128),
	'a'.repeat(129),
	'u'.repeat(255),
	'u'.repeat(256),
	'\u{1f999}'.repeat(255),
	'\u{1f999}'.repeat(256),
	0,
	7,
	Number.NaN,
	true,
	[ID],
	{ id: ID },
];

const FUNCTIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
	ID: (value) => parseUuid(value, 'message ID'),
	'ID with advice': (value) => parseUuid(value, 'message ID', { emptySuggestion: 'Drag it.' }),
	'optional ID': (value) => parseOptionalUuid(value, 'conversation ID'),
	user: parseUser,
	'trace ID': parseTraceId,
};

const shorten = (text: string): string =>
	text.replace(/(.)\1{50,}/gu, (all, character: string) => `${character}×${[...all].length}`);

test('each value', () => {
	const rows = VALUES.flatMap((value) =>
		Object.entries(FUNCTIONS).map(([name, parse]) => ({
			input: shorten(`${name}: ${JSON.stringify(value) ?? 'undefined'}`),
			outcome: shorten(JSON.stringify(getOutcome(() => parse(value))) ?? 'undefined'),
		})),
	);
	const others = rows.filter(
		({ input }, at) => rows.findIndex((row) => row.input === input) === at,
	);
	expectApproved(
		path.join(__dirname, 'ids.any-value.approved.txt'),
		others,
		'No ID that could be another path is sent, and the field is named',
	);
});
