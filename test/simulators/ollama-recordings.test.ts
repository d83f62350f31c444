/** The simulator of Ollama's own API against what a real Ollama 0.17.4 answered, byte for byte. */
import { rawAsk, type RawAnswer } from '../support/raw-http-client';
import { fixture, httpFixture, type HttpFixture } from '../support/streams';
import { reply, type Reply, startLlamaServerSim, type Step } from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const FOLDER = 'ollama-v0.17.4/api-chat';
const REQUESTS = JSON.parse(fixture(`${FOLDER}/requests.json`).toString()) as Record<
	string,
	object | null
>;

interface Line {
	message?: {
		content: string;
		thinking?: string;
		tool_calls?: Array<{ function: { name: string; arguments: object } }>;
	};
	done?: boolean;
	done_reason?: string;
	prompt_eval_count?: number;
	eval_count?: number;
	error?: string;
	logprobs?: unknown;
}

/** The scripted reply for a recorded answer; undefined if no model was involved. */
function script({ status, body }: HttpFixture): Reply | undefined {
	const lines = body
		.toString()
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as Line);
	const last = lines.at(-1)!;
	if (status === 500 && last.error?.startsWith('model runner'))
		return reply.error(500, { error: last.error });
	if (status !== 200 || last.done_reason === 'load' || last.done_reason === 'unload')
		return undefined;
	const steps = lines.flatMap(({ message }): Step[] => {
		if (message === undefined) return [];
		const { content, thinking, tool_calls: calls } = message;
		if (calls !== undefined)
			return [
				{
					tool_calls: calls.map(({ function: fn }) => ({
						function: { name: fn.name, arguments: JSON.stringify(fn.arguments) },
					})),
				},
			];
		return thinking === undefined ? (content === '' ? [] : [content]) : [{ reasoning: thinking }];
	});
	return reply.chunks(steps, {
		usage: { prompt: last.prompt_eval_count, completion: last.eval_count },
		finish: last.done_reason ?? 'stop',
		inLastLine: last.message !== undefined && last.message.content !== '',
		...(last.error === undefined ? {} : { error: { message: last.error } }),
	});
}

const VARYING = ['date', 'content-length', 'connection', 'keep-alive'];
const headersOf = ({ headers }: Pick<HttpFixture, 'headers'>): Record<string, string> =>
	Object.fromEntries(
		headers
			.map(([name, value]): [string, string] => [name.toLowerCase(), value])
			.filter(([name]) => !VARYING.includes(name)),
	);

/** Normalizes times and IDs. */
const normal = (body: Buffer): string =>
	body
		.toString()
		.replace(/"created_at":"[^"]+"/g, '"created_at":""')
		.replace(/"call_[a-z0-9]{8}"/g, '"call_12345678"')
		.replace(/"(\w+_duration)":\d+/g, '"$1":0');

/** The simulator has no log probabilities, which this package never requests on this route. */
const names = Object.keys(REQUESTS).filter((name) => !name.startsWith('chat-logprobs'));

const MODELS = [
	{ id: 'smol' },
	{ id: 'smoltool', tools: true },
	{ id: 'smolthink', thinking: true },
	{ id: 'minilm', embedding: true },
];

test.each(names)('%s', async (name) => {
	const recorded = httpFixture(`${FOLDER}/${name}.http`);
	const server = await startServer({ profile: 'ollama', models: MODELS, nCtx: 1024 });
	const scripted = script(recorded);
	if (scripted !== undefined) server.script(scripted);
	const request = REQUESTS[name];
	const answer: RawAnswer = await rawAsk(server.url, {
		path: '/api/chat',
		...(request === null ? { body: '' } : { body: request }),
	});
	expect(answer.status).toBe(recorded.status);
	expect(headersOf(answer)).toEqual(headersOf(recorded));
	expect(normal(answer.body)).toBe(normal(recorded.body));
	expect(server.scripted).toBe(0);
});

test('a message that does not fit is silently truncated, as recorded', async () => {
	const recorded = httpFixture(`${FOLDER}/chat-one-message-too-long.http`);
	const server = await startServer({ profile: 'ollama', models: MODELS, nCtx: 1024 });
	const { body } = await rawAsk(server.url, {
		path: '/api/chat',
		body: REQUESTS['chat-one-message-too-long']!,
	});
	expect(normal(body)).toBe(normal(recorded.body));
});
