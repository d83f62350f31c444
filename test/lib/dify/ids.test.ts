import { ServerError } from '../../../lib/errors/server-error';
import { optionalUuid, path, PathSegment, traceIdOf, userOf, uuid } from '../../../lib/dify/ids';
import { clientOf, failureOf, say, startSim, UNKNOWN_ID } from './client';

const ID = 'ABCDEF01-2345-4678-9abc-def012345678';

test('an ID is trimmed and in lower case; another form is refused before it becomes a page of HTML', () => {
	expect(uuid(` ${ID} `, 'message ID')).toBe(ID.toLowerCase());
	expect(() => uuid('abc', 'message ID')).toThrow('The message ID is not valid: "abc"');
	for (const blank of [undefined, null, '', '  '])
		expect(() => uuid(blank, 'message ID')).toThrow('is empty');
	expect(() => uuid({ a: 1 }, 'message ID')).toThrow('The message ID is');
});

test('a conversation may be blank, which begins a new one', () => {
	for (const blank of [undefined, null, '', ' \t'])
		expect(optionalUuid(blank, 'conversation ID')).toBeUndefined();
	expect(optionalUuid(ID, 'conversation ID')).toBe(ID.toLowerCase());
	expect(() => optionalUuid(7, 'conversation ID')).toThrow('conversation ID');
});

test('Dify 1.12.1 answers 500 to a user of 300 characters: 255 are the most', () => {
	expect(userOf('u'.repeat(255))).toHaveLength(255);
	// Characters, as the database counts them, not UTF-16 units.
	expect([...userOf('🦙'.repeat(255))]).toHaveLength(255);
	expect(() => userOf('u'.repeat(256))).toThrow('longer than 255 characters');
	expect(userOf(7)).toBe('7');
	expect(userOf(' anna ')).toBe(' anna ');
	for (const none of [undefined, null, '', '  '])
		expect(() => userOf(none)).toThrow('The user is empty');
	for (const wrong of [NaN, true, {}, []])
		expect(() => userOf(wrong)).toThrow('The user must be a string or a number, but is ');
});

test('a trace ID that Dify would pass over is refused', () => {
	expect(traceIdOf('run-7_a')).toBe('run-7_a');
	expect(traceIdOf('')).toBeUndefined();
	for (const wrong of ['a b', 'ü', 'x'.repeat(129)])
		expect(() => traceIdOf(wrong)).toThrow('trace ID');
});

test('a path takes UUIDs and encodes the rest, so that no value leads to another route', () => {
	expect(path`/datasets/${ID}/documents/${new PathSegment('2026 batch/1')}`).toBe(
		`/datasets/${ID.toLowerCase()}/documents/2026%20batch%2F1`,
	);
	for (const value of ['..', '.', '', '%2e%2e', 'x/../y'])
		expect(() => path`/datasets/${ID}/documents/${value}`).toThrow(ServerError);
	for (const value of ['..', '.'])
		expect(() => path`/a/${new PathSegment(value)}`).toThrow(ServerError);
});

describe('a message', () => {
	test('case 15: without a user nothing is sent; Dify would say so', async () => {
		const sim = await startSim({});
		for (const user of ['', '   ', undefined, null])
			expect(() => userOf(user)).toThrow(expect.objectContaining({ kind: 'missingUser' }) as Error);
		expect(userOf(42)).toBe('42');
		expect(() => userOf('x'.repeat(256))).toThrow('255');
		const missing = { status: 400, code: 'invalid_param', kind: 'missingUser' };
		expect(await failureOf(say(clientOf(sim), { user: '' }))).toMatchObject(missing);
	});
});

describe('feedback', () => {
	test('case 73: an id of another form is refused before it is sent', async () => {
		for (const id of ['abc', '', '  ', undefined, null, 7])
			expect(() => uuid(id, 'message ID')).toThrow(
				expect.objectContaining({ kind: 'invalidId' }) as Error,
			);
		expect(uuid(` ${UNKNOWN_ID.toUpperCase()} `, 'message ID')).toBe(UNKNOWN_ID);
		expect([
			optionalUuid(' ', 'x'),
			optionalUuid(null, 'x'),
			optionalUuid(UNKNOWN_ID, 'x'),
		]).toEqual([undefined, undefined, UNKNOWN_ID]);
		const sim = await startSim({});
		// What would happen otherwise: a page of HTML.
		expect(
			await failureOf(
				clientOf(sim).send('POST', '/messages/abc/feedbacks', { rating: 'like', user: 'u1' }),
			),
		).toMatchObject({ status: 404, kind: 'wrongPath' });
	});
});
