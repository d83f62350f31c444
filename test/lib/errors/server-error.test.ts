import fc from 'fast-check';
import { ServerError } from '../../../lib/errors/server-error';
import { createServerError } from '../../../lib/errors/create-error';
import { ERROR_TYPES, isConnectionError, isRetryable } from '../../../lib/errors/error-types';
import { describeError, toOwnerChatText } from '../../../lib/errors/describe-error';
import { findingFromError } from '../../../lib/health/check-result';

const REQUEST_URL = 'http://10.0.0.5:8080/v1/chat/completions';

describe('ServerError', () => {
	const failed = new ServerError({
		type: 'connectionLost',
		inputWords: { title: 'It broke', suggestion: 'Mend it.' },
		url: REQUEST_URL,
		status: 200,
		facts: { a: 1 },
	});

	test('has a short title, and the URL as a separate field', () => {
		expect(failed).toMatchObject({
			name: 'ServerError',
			message: 'It broke',
			detail: 'It broke',
			url: REQUEST_URL,
		});
		expect(
			new ServerError({ type: 'busy', inputWords: { title: 'No', suggestion: '.' } }).retryable,
		).toBe(true);
		expect(failed.retryable).toBe(false);
	});

	test('a copy may be repeated as its own type says, and as before if that is the same', () => {
		expect(failed.copyWith({ type: 'busy' }).retryable).toBe(true);
		const busy = new ServerError({
			type: 'busy',
			inputWords: { title: 'No', suggestion: '.' },
			retryable: false,
		});
		expect(busy.copyWith({ field: 'Model' }).retryable).toBe(false);
		expect(busy.copyWith({ type: 'modelLoading' }).retryable).toBe(isRetryable('modelLoading'));
	});

	test('withPartial adds the received text and changes nothing else', () => {
		const withPartial = failed.withPartial({ text: 'Hel', reasoning: 'hm' });
		expect(withPartial).toMatchObject({
			...failed,
			message: failed.message,
			partialText: 'Hel',
			partialReasoning: 'hm',
		});
		expect(withPartial.withPartial({}).partialText).toBe('Hel');
	});

	test('withPartial keeps a text up to a million characters, and the beginning of a longer one', () => {
		const length = fc.oneof(fc.nat(5), fc.integer({ min: 999_990, max: 1_000_010 }));
		fc.assert(
			fc.property(length, fc.constantFrom('a', '\n', 'ä', '日'), (count, letter) => {
				const text = letter.repeat(count);
				const { partialText, partialReasoning } = failed.withPartial({ text, reasoning: text });
				if (count <= 1_000_000) expect(partialText).toBe(text === '' ? undefined : text);
				else expect(partialText!.length).toBeLessThanOrEqual(1_000_001);
				const start = (partialText ?? '').replace(/…$/, '');
				expect(text.slice(0, start.length)).toBe(start);
				expect(partialReasoning).toBe(partialText);
			}),
			{ numRuns: 10 },
		);
	});
});

describe('tool calls that had arrived', () => {
	const letters = (length: number) => 'a'.repeat(length);
	const failed = new ServerError({
		type: 'runawayOutput',
		inputWords: { title: 'No', suggestion: 'Look.' },
	});
	test.each([
		{ title: 'one of a million characters', lengths: [1_000_000], kept: [1_000_000] },
		{ title: 'one of more', lengths: [3_000_000], kept: [1_000_000] },
		{ title: 'four long ones', lengths: [9e5, 9e5, 9e5, 9e5], kept: [25e4, 25e4, 25e4, 25e4] },
		{ title: 'a short and a long one', lengths: [5, 9e5], kept: [5, 5e5] },
		{ title: 'none', lengths: [], kept: undefined },
	])('$title: kept up to a million characters together', ({ lengths, kept }) => {
		const toolCalls = lengths.map((length) => ({ name: 'a', arguments: letters(length) }));
		const { partialToolCalls } = failed.withPartial({ toolCalls });
		expect(partialToolCalls?.map((call) => call.arguments.length)).toEqual(kept);
	});

	test('stay if a later attempt has none', () => {
		const toolCalls = [{ name: 'a', arguments: '{}' }];
		const again = failed.withPartial({ toolCalls }).withPartial({ text: 'Hi', toolCalls: [] });
		expect(again).toMatchObject({ partialText: 'Hi', partialToolCalls: toolCalls });
	});
});

describe('createServerError', () => {
	test('keeps the beginning of the server message, without a partial key at its end', () => {
		const canary = 'Zk3vQ9xT7mB2nL5pR8wYc4';
		const context = { secrets: [canary] };
		fc.assert(
			fc.property(fc.nat(40), fc.constantFrom('%41', '&#65;', 'a b '), (shift, filling) => {
				const serverText = `${filling.repeat(4_000).slice(0, 15_980 + shift)} ${canary} ${filling.repeat(30_000)}`;
				const serverMessage = createServerError('badRequest', context, { serverText }).serverText!;
				expect(serverMessage.length).toBeLessThanOrEqual(16_000);
				expect(serverMessage).not.toContain(canary.slice(0, 11));
			}),
			{ numRuns: 20 },
		);
	});

	test('the suggestion is that of the service if both services have the error type', () => {
		expect(createServerError('unauthorized', {}).suggestion).toContain('llama-server');
		expect(createServerError('unauthorized', { service: 'dify' }).suggestion).toContain(
			'"Dify API" credential',
		);
	});

	test('texts have no gap if a fact is unknown', () => {
		expect(createServerError('modelNotFound', {}).message).toBe(
			'The server does not have the model',
		);
		expect(createServerError('dnsLookupFailed', { url: 'http://nas.lan/v1' }).message).toBe(
			'The host name "nas.lan" cannot be resolved',
		);
	});
});

test('only requests that were not started can be retried: others may have run, or would fail again', () => {
	const retryable = ERROR_TYPES.filter(isRetryable).sort();
	expect(retryable).toEqual(['busy', 'connectionRefused', 'modelLoading']);
});

test('isConnectionError is true if no connection was established', () => {
	const types = ['dnsLookupFailed', 'connectionRefused', 'connectTimeout', 'tlsUntrusted'] as const;
	const others = ['busy', 'unauthorized', 'connectionLost', 'serverError'] as const;
	expect([...types, ...others].filter(isConnectionError)).toEqual(types);
});

describe('describeError', () => {
	const failed = new ServerError({
		type: 'connectionLost',
		inputWords: { title: 'It broke', detail: 'It broke in the middle', suggestion: 'Mend it.' },
		url: 'http://me:pass@10.0.0.5:8080/v1/chat/completions?user=anna#x',
		serverText: 'boom',
	});

	test('contains detail, server message, suggestion and URL, in this order', () => {
		expect(describeError(failed)).toBe(
			'It broke in the middle. Server message: "boom". Mend it. URL: http://10.0.0.5:8080/v1/chat/completions',
		);
	});

	test('missing parts leave no gap, and nothing is repeated', () => {
		const of = (title: string, serverText?: string) =>
			describeError(
				new ServerError({
					type: 'badRequest',
					inputWords: { title, suggestion: 'Mend it.' },
					serverText,
				}),
			);
		expect(of('No')).toBe('No. Mend it.');
		expect(of('It ended.')).toBe('It ended. Mend it.');
		expect(of('Field n is wrong', 'Field n is wrong')).toBe('Field n is wrong. Mend it.');
		expect(of('Field n is wrong', 'Field n is wrong.\n')).toBe('Field n is wrong. Mend it.');
		expect(of('The tag bold is wrong', 'The tag <b>bold</b> is wrong.')).toBe(
			'The tag bold is wrong. Mend it.',
		);
		expect(
			describeError(
				new ServerError({ type: 'badRequest', inputWords: { title: 'No', suggestion: '' } }),
			),
		).toBe('No.');
	});

	test('a second try that failed as well is told behind any advice, in panels, chats and findings', () => {
		const twice = failed.copyWith({
			wasSentTwice: true,
			inputWords: { ...failed.inputWords!, suggestion: 'Start it.' },
		});
		expect(describeError(twice, '')).toBe(
			'It broke in the middle. Server message: "boom". Start it. A second try failed as well.',
		);
		expect(toOwnerChatText(twice, '')).toContain('Start it. A second try failed as well.');
		expect(findingFromError(twice, 'GET /').suggestion).toBe(
			'Start it. A second try failed as well.',
		);
	});

	test('a long server message is shortened', () => {
		const long = new ServerError({
			type: 'badRequest',
			inputWords: { title: 'No', suggestion: 'Mend it.' },
			serverText: 'x'.repeat(900),
		});
		expect(describeError(long)).toBe(`No. Server message: "${'x'.repeat(499)}…". Mend it.`);
	});
});
