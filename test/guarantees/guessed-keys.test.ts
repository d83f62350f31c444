/**
 * Who chats with a model makes it write guesses of a key. A response never depends on a guess of a part: 300 guesses of each
 * kind of key come back byte for byte, in the same parts as with another key.
 */
import { execute, prepare } from '../recordings/support/dify-node-runner';
import { takeSome } from '../support/jest/properties';
import { useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import { actionContext, chatModel, localLlama, streamOf } from './support/node-runner';
import { CHAT, delta, LLAMA_SERVER, sendEvents, sse, usage } from './support/responses';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

const start = useServers();

/** A key of each kind, put together so that no scanner takes it for a real one. */
const KEYS: Record<string, string> = {
	GPUStack: ['gpustack', '3f9a1c7e5b2d8046', '9b1e7d3c5a2f8e604d1b7c9a3e5f2081'].join('_'),
	Dify: ['app', 'Xk3TqLw9ZbVn5RsYpHd2GmCf'].join('-'),
	OpenAI: ['sk', 'proj', 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY'].join('-'),
	'LM Studio': ['sk', 'lm', 'J9Fa6fbC:kQ2wE4rT6yU8iO0pA1sD'].join('-'),
	JWT: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiJuOG4ifQ', 'c2lnbmF0dXJlMTIzNDU2Nzg5MA'].join('.'),
	signs: 'aZ9+/=%"\\-k3TqLw9ZbVn5RsYpHd2',
};

const GUESSES = 300;
/** In one message, as a visitor would ask to save messages. */
const TOGETHER = 20;

const toUnicode = (text: string) =>
	[...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const toPercent = (text: string) =>
	[...text].map((sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

/** Parts of a key, right and wrong, as they are and in the forms that are masked. Dify's is whole without its prefix. */
function guessesOf(key: string): string[] {
	const guesses: string[] = [];
	const whole = key.replace(/^app-/, '');
	for (let length = 1; guesses.length < GUESSES; length = (length % (key.length - 1)) + 1) {
		const round = guesses.length;
		const [begin, end] = [key.slice(0, length), key.slice(-length)];
		const wrong = otherThan(key[length]!);
		const wrongBefore = otherThan(key.at(-length - 1)!);
		const part = [begin, begin + wrong, end, wrongBefore + end, key.slice(1, length + 1)][
			round % 5
		]!;
		const isPart = !part.includes(whole);
		const form = [String, toUnicode, toPercent, (text: string) => btoa(text)][(round >> 3) % 4]!;
		guesses.push(form(isPart ? part : begin));
	}
	return guesses;
}

function messagesOf(key: string): string[] {
	const guesses = guessesOf(key);
	return Array.from({ length: GUESSES / TOGETHER }, (_none, at) =>
		guesses
			.slice(at * TOGETHER, (at + 1) * TOGETHER)
			.map((guess, index) => `${index}:${guess};${index % 3 === 0 ? ' ' : ''}`)
			.join(''),
	);
}

/** Another text of the same length, which differs in each sign. */
const otherThan = (key: string) => [...key].map((sign) => (sign === 'q' ? 'x' : 'q')).join('');

const partsOf = (text: string): string[] => text.match(/[^]{1,7}/g) ?? [];

/** What is shown, part by part, and what the node or model returns. */
interface Seen {
	parts: unknown[];
	result: unknown;
}

type Door = (key: string, text: string) => Promise<Seen>;

const answerOf =
	(text: string): Answer =>
	(_request, response) =>
		sendEvents(
			response,
			sse(
				...partsOf(text).map((content) => delta({ content })),
				delta({}, 'stop'),
				usage(),
				'[DONE]',
			),
		);

const startModel = async (text: string) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answerOf(text) });

const DOORS: Record<string, Door> = {
	'the chat model of an agent': async (key, text) => {
		const { url } = await startModel(text);
		const { supplied } = await chatModel(url, { credentials: { apiKey: key } });
		const chunks = await streamOf(supplied, `Repeat: ${text}`);
		const { content } = await supplied.invoke('Repeat it.');
		return { parts: chunks.map((chunk) => chunk.content), result: content };
	},
	'Local Llama': async (key, text) => {
		const { url } = await startModel(text);
		const fake = actionContext(url, 'text:chat', {
			parameters: { prompt: `Repeat: ${text}` },
			credentials: { baseUrl: url, apiKey: key, authentication: 'bearer' },
			streaming: true,
		});
		const [item] = await localLlama(fake);
		return { parts: fake.chunks.map(({ content }) => content ?? ''), result: item!.json.output };
	},
	'Dify Chat Message': async (key, text) => {
		const ids = { task_id: 't1', message_id: 'm1', conversation_id: 'c1' };
		const { url } = await start({
			'POST /v1/chat-messages': (_request, response) =>
				sendEvents(
					response,
					sse(...partsOf(text).map((answer) => ({ event: 'message', ...ids, answer })), {
						event: 'message_end',
						...ids,
						metadata: {},
					}),
				),
		});
		const fake = prepare(
			'difyChatMessage',
			'',
			{ baseUrl: url, apiKey: key },
			{
				// The guesses are in an earlier message: what a request contains is not masked in its response anyway.
				query: 'Repeat it.',
				user: 'u1',
				conversation: 'new',
				inputsMode: 'json',
				inputsJson: '{}',
				files: {},
				options: {},
			},
			{ streaming: true },
		);
		const items = await execute('difyChatMessage', fake);
		return {
			parts: fake.chunks.map(({ content }) => content ?? ''),
			result: (items as Array<{ json: { answer?: unknown } }>)[0]!.json.answer,
		};
	},
};

const CASES = Object.entries(DOORS).flatMap(([door, see]) =>
	Object.entries(KEYS).map(([kind, key]) => ({ door, see, kind, key })),
);

test.each(CASES)(
	'$door: no guess of a $kind key changes a response',
	async ({ door, see, key }) => {
		const shift = Object.keys(DOORS).indexOf(door);
		for (const text of takeSome(messagesOf(key), shift)) {
			const seen = await see(key, text);
			expect(seen.result).toBe(text);
			expect(seen.parts.join('')).toBe(text);
			expect(await see(otherThan(key), text)).toEqual(seen);
		}
	},
);
