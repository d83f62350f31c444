/** Rows that must not compile: `npm run typecheck` fails if one of them does. */
import { createServerError } from '../../../../lib/errors/create-error';
import { getErrorText } from '../../../../lib/errors/error-types';
import type { ErrorRow } from '../../../../lib/errors/rows/error-row';

const row: ErrorRow = {
	title: ({ model }) => `The model ${model}`,
	suggestion: 'Look.',
	health: 'degraded',
	cause: 'server',
};
const { health, cause, ...sentences } = row;

const WRONG_ROWS: readonly ErrorRow[] = [
	// @ts-expect-error without `health`
	{ ...sentences, cause },
	// @ts-expect-error without `cause`
	{ ...sentences, health },
	// @ts-expect-error without `suggestion`
	{ title: 'No', health, cause },
	// @ts-expect-error a misspelt fact in a sentence
	{ ...row, title: ({ modle }) => `The model ${String(modle)}` },
	// @ts-expect-error a misspelt fact in a sentence
	{ ...row, suggestion: (facts) => `The model ${facts.modle}` },
	// @ts-expect-error a status that Server Health does not have
	{ ...row, health: 'healthy' },
	// @ts-expect-error a misspelt cause
	{ ...row, cause: 'servers' },
];

test('facts and error types are checked where they are used', () => {
	// @ts-expect-error a misspelt fact
	expect(getErrorText('modelNotFound', { modle: 'm' }).title).not.toContain('"m"');
	// @ts-expect-error a misspelt fact
	const error = createServerError('modelNotFound', {}, { about: { modle: 'm' } });
	expect(error.message).not.toContain('"m"');
	// @ts-expect-error a misspelt type
	expect(() => getErrorText('modelNotFond')).toThrow();
});

test.each(WRONG_ROWS)('wrong row %#: the compiler refuses it', (wrong) => {
	expect(wrong).not.toEqual(row);
});
