import { ServerError } from '../../../lib/errors/server-error';
import { apiPath, PathSegment, encodePathSegment } from '../../../lib/dify/api-path';
import { parseOptionalUuid, parseTraceId, parseUser, parseUuid } from '../../../lib/dify/ids';
import fc from 'fast-check';
import { anyCodePoint } from '../../support/texts/code-points';

const ID = 'ABCDEF01-2345-4678-9abc-def012345678';

test('an ID is trimmed and lowercased; an invalid one is rejected, since Dify would return an HTML page', () => {
	expect(parseUuid(` ${ID} `, 'message ID')).toBe(ID.toLowerCase());
	expect(() => parseUuid('abc', 'message ID')).toThrow('The message ID is not valid: "abc"');
	expect(() => parseUuid('n'.repeat(500), 'message ID')).toThrow(/: "n{98}…$/);
	for (const blank of [undefined, null, '', '  '])
		expect(() => parseUuid(blank, 'message ID')).toThrow('is empty');
	for (const other of [{ a: 1 }, [1], true, 7])
		expect(() => parseUuid(other, 'message ID')).toThrow(
			`The message ID is not valid: ${JSON.stringify(other)}`,
		);
});

test('a blank conversation starts a new one', () => {
	for (const blank of [undefined, null, '', ' \t'])
		expect(parseOptionalUuid(blank, 'conversation ID')).toBeUndefined();
	expect(parseOptionalUuid(ID, 'conversation ID')).toBe(ID.toLowerCase());
	expect(() => parseOptionalUuid(7, 'conversation ID')).toThrow('conversation ID');
});

test('Dify 1.12.1 returns 500 for a user of 300 characters: the maximum is 255', () => {
	expect(parseUser('u'.repeat(255))).toHaveLength(255);
	// Characters, as the database counts them, not UTF-16 units.
	expect([...parseUser('🦙'.repeat(255))]).toHaveLength(255);
	expect(() => parseUser('u'.repeat(256))).toThrow('longer than 255 characters');
	expect(parseUser(7)).toBe('7');
	expect(parseUser(' anna ')).toBe(' anna ');
	for (const none of [undefined, null, '', '  '])
		expect(() => parseUser(none)).toThrow('The user is empty');
	for (const wrong of [NaN, true, {}, []])
		expect(() => parseUser(wrong)).toThrow('The user must be a string or a number, but is ');
});

test('a trace ID that Dify would ignore is rejected', () => {
	expect(parseTraceId('run-7_a')).toBe('run-7_a');
	expect(parseTraceId('')).toBeUndefined();
	for (const wrong of ['a b', 'ü', 'x'.repeat(129)])
		expect(() => parseTraceId(wrong)).toThrow('trace ID');
});

test('a path accepts UUIDs and encodes the rest, so that no value leads to another route', () => {
	expect(apiPath`/datasets/${ID}/documents/${new PathSegment('2026 batch/1')}`).toBe(
		`/datasets/${ID.toLowerCase()}/documents/2026%20batch%2F1`,
	);
	for (const value of ['..', '.', '', '%2e%2e', 'x/../y'])
		expect(() => apiPath`/datasets/${ID}/documents/${value}`).toThrow(ServerError);
	for (const value of ['..', '.'])
		expect(() => apiPath`/a/${new PathSegment(value)}`).toThrow(ServerError);
});

test('a text that is too long for a path is quoted by its beginning', () => {
	expect(apiPath`/a/${new PathSegment('x'.repeat(1_000))}`).toHaveLength(1_003);
	expect(() => apiPath`/a/${new PathSegment('x'.repeat(1_001))}`).toThrow(
		/^"x{50,100}…" is not a valid ID or name$/,
	);
});

const ROOT = 'http://host:1/v1';
const evil = fc.array(
	fc.oneof(
		fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '?', '#', ';', '\t', '\r\n', '\ud800'),
		fc.string({ unit: anyCodePoint, maxLength: 3 }),
	),
	{ maxLength: 5 },
);

function tryOrUndefined(work: () => string): string | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

test('any value is one path segment, except for dots, which are rejected', () => {
	fc.assert(
		fc.property(evil, (parts) => {
			const value = parts.join('');
			const segment = tryOrUndefined(() => encodePathSegment(value));
			if (value === '.' || value === '..') return expect(segment).toBeUndefined();
			const { pathname, search, hash } = new URL(`${ROOT}/a/${segment}/b`);
			expect(pathname + search + hash).toBe(`/v1/a/${segment}/b`);
			expect(decodeURIComponent(segment!)).toBe(value.toWellFormed());
		}),
	);
});
