import { ChatClient } from '../../../lib/chat/client';
import type { FinishedAnswer, SourceMessage } from '../../../lib/chat/types';
import type { ChatSettings } from '../../../lib/chat/request/request';
import type { ServerError } from '../../../lib/errors/server-error';
import { queuedRequests } from '../../../lib/http/queue';
import { generationInfoOf } from '../../../lib/langchain/generation-info';
import { localLlamaServers } from '../../../lib/servers/credential';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { credentialOf, generationsAt, questionFor } from '../../servers/several';
import { useSimulator } from '../../servers/use-simulator';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useSimulator(startLlamaServerSim);
const SAMPLE = 'key-of-the-credential-1';
const OTHER_SAMPLE = 'key-of-the-second-server-2';

type Credential = Parameters<typeof localLlamaServers>[0];

/** Two servers, and a question that the first one is asked first. */
async function pair(...options: [object?, object?]) {
	const servers = [await start(options[0]), await start(options[1])] as const;
	return {
		servers,
		first: servers[0],
		second: servers[1],
		question: questionFor(servers[0], servers),
	};
}

async function ask(
	credential: Credential,
	content: string,
	{
		history = [],
		signal,
		...settings
	}: Partial<ChatSettings> & { history?: SourceMessage[]; signal?: AbortSignal } = {},
): Promise<FinishedAnswer> {
	const client = new ChatClient(localLlamaServers(credential), { ...PLAIN_SETTINGS, ...settings });
	const answer = client.generate({ messages: [{ type: 'human', content }, ...history], signal });
	for (;;) {
		const { value, done } = await answer.next();
		if (done) return value;
	}
}

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => {
			throw new Error('no failure');
		},
		(error: unknown) => error as ServerError,
	);

describe('before the first byte the next server is asked', () => {
	test('case B90: one that is down; the answer and the log name both', async () => {
		const { servers, first, second, question } = await pair();
		await first.close();
		second.script(reply.text('Hello'));
		const answer = await ask(credentialOf(servers), question);
		expect(answer.text).toBe('Hello');
		expect(answer.url).toBe(`${second.url}/v1/chat/completions`);
		expect(answer.notes.join()).toContain(
			`${second.url} answered, because this server did not take the request: ${first.url}`,
		);
		expect(generationInfoOf(answer)).toMatchObject({
			server: second.url,
			model: expect.any(String) as string,
			passedOver: [expect.stringMatching(`^${first.url}: Nothing listens`) as string],
		});
		// It has a cooldown: no request waits for it, and the log still names it.
		const next = await ask(credentialOf(servers), question);
		expect(next.notes).toEqual([]);
		expect(generationInfoOf(next).passedOver).toEqual([expect.stringMatching(/\(rests\)$/)]);
	});

	test.each([
		['503 Loading model', reply.loading()],
		['503 of a full queue', reply.llamaError(503, 'no slot available', 'unavailable_error')],
		['429', reply.llamaError(429, 'too many concurrent requests', 'rate_limit_error')],
		['502 of a proxy', reply.html(502, '<html><title>502 Bad Gateway</title></html>')],
		['404 for the model', reply.llamaError(404, "model 'sim-model' not found", 'not_found_error')],
	])('%s', async (_what, refusal) => {
		const { servers, first, second, question } = await pair();
		first.script(refusal);
		second.script(reply.text('Hello'));
		expect((await ask(credentialOf(servers), question)).text).toBe('Hello');
		expect([generationsAt(first).length, generationsAt(second).length]).toEqual([1, 1]);
	});

	test('one that is silent until the first-token limit, and its connection is closed', async () => {
		const { servers, first, second, question } = await pair();
		first.script(reply.silence());
		second.script(reply.text('Hello'));
		const answer = await ask(credentialOf(servers), question, { limits: { firstTokenMs: 2500 } });
		expect(answer.text).toBe('Hello');
		await first.until(() => first.connections.open === 0);
	});
});

describe('no other server is asked', () => {
	test('case B91: after the first token', async () => {
		const { servers, first, second, question } = await pair();
		first.script(reply.text('Hello there', { cut: { at: { event: 2 }, how: 'rst' } }));
		const failed = await failureOf(ask(credentialOf(servers), question));
		expect(failed.partialText).toBeTruthy();
		expect(failed.url).toContain(first.url);
		expect(generationsAt(second)).toHaveLength(0);
	});

	test.each([
		[
			'a refused key',
			401,
			'unauthorized',
			reply.llamaError(401, 'Invalid API Key', 'authentication_error'),
		],
		[
			'a bad request',
			400,
			'badRequest',
			reply.llamaError(400, 'cannot use both', 'invalid_request_error'),
		],
		['an error of the server', 500, 'serverError', reply.llamaError(500, 'boom')],
		['a gateway that waited', 504, 'gateway', reply.html(504, '<html></html>')],
	])('after %s, which is said', async (_what, status, kind, refusal) => {
		const { servers, first, second, question } = await pair();
		first.script(refusal);
		expect(await failureOf(ask(credentialOf(servers), question))).toMatchObject({ status, kind });
		expect(generationsAt(second)).toHaveLength(0);
	});

	test('after Stop', async () => {
		const { servers, first, second, question } = await pair();
		const stop = new AbortController();
		first.script(reply.silence());
		const asking = failureOf(ask(credentialOf(servers), question, { signal: stop.signal }));
		await first.until(() => generationsAt(first).length === 1);
		stop.abort();
		expect(await asking).toMatchObject({ kind: 'aborted' });
		expect(generationsAt(second)).toHaveLength(0);
		// It says nothing about the server.
		expect((await ask(credentialOf(servers), question)).server).toMatchObject({
			url: first.url,
			passedOver: [],
		});
	});
});

test('case B94: all down, one error lists each with its own diagnosis and no key', async () => {
	const { servers, first, second } = await pair({ apiKey: SAMPLE }, { apiKey: OTHER_SAMPLE });
	await first.close();
	second.script(reply.loading());
	const credential = credentialOf(servers, { apiKey: SAMPLE }, [{ apiKey: OTHER_SAMPLE }]);
	const failed = await failureOf(ask(credential, 'Hi', { limits: { firstTokenMs: 400 } }));
	expect(failed.kind).toBe('allServersFailed');
	for (const said of [first.url, second.url, 'Nothing listens', 'still loading'])
		expect(failed.remedy).toContain(said);
	expect(JSON.stringify({ ...failed })).not.toMatch(new RegExp(`${SAMPLE}|${OTHER_SAMPLE}`));
});

describe('each server is asked in its own way', () => {
	test('with its own key, which no other server gets, and its own name of the model', async () => {
		const { servers, first, second, question } = await pair(
			{ apiKey: SAMPLE },
			{ apiKey: OTHER_SAMPLE },
		);
		const credential = credentialOf(servers, { apiKey: SAMPLE }, [
			{ apiKey: OTHER_SAMPLE, model: 'sim-model = there:8b' },
		]);
		await ask(credential, question);
		first.script(reply.loading());
		const answer = await ask(credential, question);
		expect(answer.server).toMatchObject({ url: second.url, model: 'there:8b' });
		expect([generationsAt(first)[0]!.model, generationsAt(second)[0]!.model]).toEqual([
			'sim-model',
			'there:8b',
		]);
		const keysAt = ({ requests }: LlamaServerSim) =>
			new Set(requests.map(({ headers }) => headers.authorization));
		expect([...keysAt(first)]).toEqual([`Bearer ${SAMPLE}`]);
		expect([...keysAt(second)]).toEqual([`Bearer ${OTHER_SAMPLE}`]);
	});

	test('as its kind wants it: Ollama by its own API, llama-server by that of OpenAI', async () => {
		const { servers, first, second, question } = await pair({ profile: 'ollama' }, {});
		const settings = { parameters: { topK: 7, temperature: 0.5 } };
		await ask(credentialOf(servers), question, settings);
		const own = first.requests.find(({ path }) => path === '/api/chat')!;
		expect(own.body).toMatchObject({ options: { top_k: 7 } });
		await first.close();
		await ask(credentialOf(servers), question, settings);
		expect(generationsAt(second)[0]).toMatchObject({ top_k: 7 });
	});
});

describe('choice of the server', () => {
	test('case B92: five rounds of a conversation reach the same server, also from another client', async () => {
		const { servers, first, second } = await pair();
		const question = questionFor(second, servers);
		const history: SourceMessage[] = [];
		for (let round = 0; round < 5; round++) {
			const { text } = await ask(credentialOf(servers), question, { history: [...history] });
			history.push({ type: 'ai', content: text }, { type: 'human', content: `And ${round}?` });
		}
		expect([generationsAt(first).length, generationsAt(second).length]).toEqual([0, 5]);
	});

	test('a conversation keeps its server when History Budget leaves its beginning out, and is counted there', async () => {
		const { servers, first, second, question } = await pair();
		const turn = (at: number): SourceMessage[] => [
			{ type: 'ai', content: `Answer ${at} `.repeat(20) },
			{ type: 'human', content: `Question of turn ${at}` },
		];
		const sent = [];
		for (let turns = 0; turns < 8; turns++) {
			const history = Array.from({ length: turns }, (_, at) => turn(at)).flat();
			const { notes } = await ask(credentialOf(servers), question, { historyBudget: 100, history });
			sent.push(notes.length);
		}
		expect(sent.at(-1)).toBe(1);
		expect(generationsAt(first)).toHaveLength(8);
		expect(second.requests.map(({ path }) => path)).toEqual([]);
	});

	test('case B93: three at once on two servers with one slot each, the third waits', async () => {
		const { servers, first, second } = await pair(
			{ slots: 1, tokenDelayMs: 5 },
			{ slots: 1, tokenDelayMs: 5 },
		);
		const credential = credentialOf(servers, { maxConcurrentRequests: 1 });
		let most = 0;
		const asking = Promise.all(
			['a', 'b', 'c'].map(async (content) => await ask(credential, content)),
		);
		const watched = asking.then(() => true);
		const busy = () =>
			[first, second].flatMap((server) => server.slots().filter((slot) => slot.busy)).length;
		await first.until(() => {
			most = Math.max(most, busy());
			return queuedRequests() > 0;
		});
		expect(await watched).toBe(true);
		expect(most).toBeLessThanOrEqual(2);
		expect([first.queued, second.queued, queuedRequests()]).toEqual([0, 0, 0]);
		expect(generationsAt(first).length + generationsAt(second).length).toBe(3);
		for (const server of servers) expect(generationsAt(server).length).toBeGreaterThan(0);
	});

	test('a server with free slots keeps its conversations, one without gives them to the other', async () => {
		const { servers, first, second } = await pair(
			{ slots: 2, tokenDelayMs: 20 },
			{ tokenDelayMs: 20 },
		);
		const question = questionFor(first, servers);
		await Promise.all([1, 2, 3].map(async () => await ask(credentialOf(servers), question)));
		expect([generationsAt(first).length, generationsAt(second).length]).toEqual([2, 1]);
	});
});
