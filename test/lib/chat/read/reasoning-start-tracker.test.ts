import { runTurn } from '../../../../lib/chat/turn';
import type { ChatRequest } from '../../../../lib/chat/chat-request';
import type { ChatSettings } from '../../../../lib/chat/settings';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { delta, sendEvents, sse } from '../../../guarantees/support/responses';
import { sendJson, startScripted } from '../../../support/servers/scripted-server';
import { PLAIN_SETTINGS } from '../chat-settings';
import { useSimulator } from '../../../simulators/use-simulator';
import { toInput } from '../../../support/texts/messages';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

const serveScript = useSimulator(startScripted);

afterEach(() => jest.restoreAllMocks());

/** A server without a reasoning parser that responds with these texts, one after the other. */
async function startChat(...texts: string[]) {
	const scripted = await serveScript(({ method }, response) => {
		if (method !== 'POST') return sendJson(response, { detail: 'Not Found' }, 404);
		const words = texts.shift()!.match(/\S+\s*/g)!;
		const chunks = words.map((content) => delta({ content }));
		return sendEvents(response, sse(...chunks, delta({}, 'stop')));
	});
	return async (
		content = 'Hi',
		settings: Partial<ChatSettings> = {},
		more: Partial<ChatRequest> = {},
		apiKey = '',
	) => {
		const server = createModelServer({ baseUrl: scripted.url, apiKey }, NO_EXECUTION);
		const deltas: string[] = [];
		const { text, reasoning, warnings, logFields } = await runTurn({
			server,
			settings: { ...PLAIN_SETTINGS, ...settings },
			chatRequest: { messages: [toInput({ type: 'human', content })], ...more },
			onDelta: (piece) => deltas.push(piece),
		});
		const hasHint = warnings.some((warning) => warning.includes('had not begun it'));
		return { text, reasoning, hasHint, deltas, heldBack: logFields?.delayedBecause };
	};
}

const LONE = 'Let me think.</think>The answer is 4.';

test.each([
	LONE,
	'The user greets me.\n</think>\n\nHello there!',
	'First: 2 + 2.\nThen: `4`.</think>\nIt is 4.',
	'Nothing to do here. </think>Done, as you said.',
])('the response after one that began inside its thinking is clean: %j', async (response) => {
	const ask = await startChat(response, response, 'It is just an answer.', 'And one more.');
	expect(await ask()).toMatchObject({ text: response, hasHint: true, heldBack: undefined });
	const answer = response.split('</think>')[1]!.trim();
	const second = await ask();
	expect(second).toMatchObject({ text: answer, hasHint: false });
	expect(second.reasoning.trim()).toBe(response.split('</think>')[0]!.trim());
	expect(second.heldBack).toBe('the last response began inside its thinking');
	// The first response without thinking is complete, and the next ones stream.
	expect(await ask()).toMatchObject({ text: 'It is just an answer.', hasHint: false });
	const last = await ask();
	expect(last).toMatchObject({ text: 'And one more.', heldBack: undefined });
	expect(last.deltas[0]).toBe('And ');
});

test.each([
	'</think>Hello there!',
	'</think>\n\nHello there!',
	'</think> Hello there!',
	'  </think>\nHello there!',
])(
	'a response that closes its thinking at once is clean, and so is the next: %j',
	async (first) => {
		const ask = await startChat(first, LONE, LONE, first, 'It is just an answer.', 'And one more.');
		expect(await ask()).toMatchObject({
			text: 'Hello there!',
			hasHint: false,
			heldBack: undefined,
		});
		const second = { text: 'The answer is 4.', reasoning: 'Let me think.', hasHint: false };
		expect(await ask()).toMatchObject(second);
		expect(await ask()).toMatchObject(second);
		// Still learned: its thinking was empty again.
		expect(await ask()).toMatchObject({ text: 'Hello there!' });
		expect(await ask()).toMatchObject({ text: 'It is just an answer.' });
		expect((await ask()).heldBack).toBeUndefined();
	},
);

test.each([
	'</think> is the tag that ends thinking.',
	'</think>, as a tag, ends thinking.',
	'</think> (with a slash) ends thinking.',
	'`</think>` ends thinking.',
])('a sentence that begins with the tag stays, and teaches nothing: %j', async (first) => {
	const ask = await startChat(first, 'One two three.');
	expect((await ask()).text).toBe(first);
	expect((await ask()).heldBack).toBeUndefined();
});

test('an earlier response with the tag does not prevent it', async () => {
	const ask = await startChat(LONE, LONE);
	await ask();
	const messages: ChatRequest['messages'] = [
		toInput({ type: 'human', content: 'Hi' }),
		toInput({ type: 'ai', content: LONE }),
		toInput({ type: 'human', content: 'Again' }),
	];
	expect(await ask('', {}, { messages })).toMatchObject({ text: 'The answer is 4.' });
});

test.each<[string, Parameters<Awaited<ReturnType<typeof startChat>>>]>([
	['with thinking off', ['Hi', { sampling: { thinking: { mode: 'off' } } }]],
	['if the request mentions the tag', ['What does <think> do?']],
	['of another credential', ['Hi', {}, {}, 'other-key-12345']],
	['of another model', ['Hi', { model: 'other' }]],
	['with another thinking setting', ['Hi', { sampling: { thinking: { mode: 'on' } } }]],
])('a response %s teaches nothing about others', async (_name, args) => {
	const ask = await startChat(LONE, 'One two three.');
	await ask(...args);
	const next = await ask();
	expect(next.heldBack).toBeUndefined();
	expect(next.deltas[0]).toBe('One ');
});

test.each([
	'Write `</think>` at the end of it.',
	'The tag </think> ends the thinking of a model.',
	'Like this:\n```html\n<p>\n</think>\n```\nThat is all.',
	'<think>a</think>b, and not </think>',
])('a response about the tag is complete, and teaches nothing: %j', async (response) => {
	const ask = await startChat(response, 'One two three.');
	expect((await ask()).text).toBe(response.replace('<think>a</think>', ''));
	expect((await ask()).deltas[0]).toBe('One ');
});

test('JSON with the tag stays, and teaches nothing', async () => {
	const value = '{"tag": "</think>"}';
	const ask = await startChat(value, 'One two three.');
	const sampling = { responseFormat: { type: 'jsonObject' as const } };
	expect((await ask('Hi', { sampling })).text).toBe(value);
	expect((await ask()).deltas[0]).toBe('One ');
});

test('a request that mentions the tag gets a complete response, streamed or not', async () => {
	const response = 'First the thoughts.</think>Then the answer.';
	const ask = await startChat(response, response, response);
	await ask();
	for (const isNeededOnlyAtEnd of [false, true])
		expect((await ask('How is </think> used?', {}, { isNeededOnlyAtEnd })).text).toBe(response);
});

test('it is forgotten after ten minutes', async () => {
	const ask = await startChat(LONE, 'One two three.');
	await ask();
	const now = performance.now.bind(performance);
	jest.spyOn(performance, 'now').mockImplementation(() => now() + 601_000);
	expect((await ask()).heldBack).toBeUndefined();
});
