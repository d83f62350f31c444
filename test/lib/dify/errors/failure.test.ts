import { difyClient } from '../../../../lib/dify/credentials';
import {
	answerError,
	difyFailure,
	localError,
	partialResultOf,
	runError,
} from '../../../../lib/dify/errors/failure';
import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { describe as wholeText } from '../../../../lib/errors/description';
import type { CallAnswer } from '../../../../lib/http/types';
import { PAGES, appKey } from '../../../servers/dify';

const API = 'http://dify.lan/v1';
const SAMPLE = appKey('chat');
const { connection } = difyClient({ baseUrl: API, apiKey: SAMPLE, keyType: 'app' });

function answer(status: number, body: unknown, more: Partial<CallAnswer> = {}): CallAnswer {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return { status, headers: {}, text, json: undefined, url: `${API}/chat-messages`, ...more };
}

describe('the error of an answer', () => {
	test('only what starts a run may have started one: not a check, a rating or an upload', () => {
		const of = (method: string, path: string) =>
			answerError(connection, answer(502, PAGES.nginx502, { url: API + path }), method).remedy;
		for (const path of [
			'/chat-messages',
			'/completion-messages',
			'/workflows/run',
			'/workflows/1c7e55fb/run',
		])
			expect(of('POST', path)).toContain('A run may have been started');
		for (const [method, path] of [
			['GET', '/info'],
			['GET', '/workflows/run/1c7e55fb'],
			['POST', '/messages/1/feedbacks'],
			['POST', '/files/upload'],
			['POST', '/chat-messages/1/stop'],
		] as const)
			expect(of(method, path)).not.toContain('started');
	});

	test("a short title, Dify's own words in the description, and what belongs to both", () => {
		const failed = answerError(
			connection,
			answer(404, { code: 'not_found', message: 'Conversation Not Exists.', status: 404 }),
			'POST',
		);
		expect(failed).toMatchObject({
			kind: 'conversationNotFound',
			message: 'Dify does not find the conversation',
			serverText: 'Conversation Not Exists.',
			code: 'not_found',
			status: 404,
			retryable: false,
		});
		expect(wholeText(failed)).toBe(
			`Dify does not find the conversation (${API}/chat-messages). ${failed.remedy} The server says: "Conversation Not Exists."`,
		);
	});

	test('the key is masked in the text, in the code, and where the text is cut', () => {
		const echoed = answerError(
			connection,
			answer(400, { code: `bad ${SAMPLE}`, message: SAMPLE }),
			'GET',
		);
		expect(JSON.stringify(echoed)).not.toContain(SAMPLE);
		for (let before = 150; before <= 200; before += 5) {
			const { serverText } = answerError(
				connection,
				answer(500, `${'x'.repeat(before)} ${SAMPLE}`),
				'GET',
			);
			expect(serverText).not.toMatch(/app-\w/);
		}
	});

	test('a redirect names where it leads, without its query', () => {
		const failed = answerError(
			connection,
			answer(302, '', { headers: { location: 'https://sso.lan/login?back=secret' } }),
			'POST',
		);
		expect(failed).toMatchObject({
			kind: 'redirect',
			meaning: expect.stringMatching(
				/^The server at http\S+ redirects this request to https:\/\/sso\.lan\/login$/,
			) as string,
		});
	});
});

describe('the error of a run', () => {
	const stream = { url: `${API}/chat-messages`, headers: { 'x-version': '1.12.1' } };

	test("this package's own words are what happened, not what Dify said", () => {
		const failed = runError(connection, resultByEvents(createRun({}), 'eof'), stream);
		expect(failed.meaning).toMatch(/ended early/);
		expect(failed.serverText).toBeUndefined();
	});

	test('a broken connection is told without the words of Node', () => {
		const failed = runError(connection, resultByEvents(createRun({}), 'closed'), stream);
		expect(wholeText(failed)).not.toMatch(/ECONN|EPIPE|UND_ERR|socket|EOF/);
		expect(failed.facts).toMatchObject({ difyVersion: '1.12.1' });
	});
});

describe('failures that are found here', () => {
	test('what was refused before it was sent is not tried again, and has the remedy of its kind unless it has its own', () => {
		const plain = localError('tooManyRequests');
		expect([plain.retryable, difyFailure('tooManyRequests').retryable]).toEqual([false, true]);
		expect(localError('inputs', 'The X is wrong', 'Mend it.')).toMatchObject({
			kind: 'inputs',
			message: 'The X is wrong',
			remedy: 'Mend it.',
		});
		expect(localError('inputs', 'The X is wrong').remedy).toBe(difyFailure('inputs').remedy);
	});

	test('what a failed run had given goes with its failure; other errors have none', () => {
		const state = createRun();
		reduce(state, {
			event: 'message',
			task_id: 't',
			conversation_id: 'c',
			message_id: 'm',
			answer: 'Hel',
		});
		const result = resultByEvents(state, 'cancelled');
		const failed = difyFailure('cancelled', { result, facts: { tries: 2 } });
		expect(failed).toMatchObject({
			partialText: 'Hel',
			facts: { taskId: 't', conversationId: 'c', messageId: 'm', tries: 2 },
		});
		expect(failed.partialReasoning).toBeUndefined();
		expect(partialResultOf(failed)).toBe(result);
		for (const other of [difyFailure('cancelled'), new Error('x'), 'text', undefined])
			expect(partialResultOf(other)).toBeUndefined();
	});
});
