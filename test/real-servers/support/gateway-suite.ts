/** What must hold for every gateway in front of a real llama-server: it passes on headers, and drops fields. */
import { connectTo } from '../../../lib/servers/connect';
import type { KindName } from '../../../lib/servers/kinds';
import { complete, type FinishedCompletion } from '../../../lib/text/complete';
import type { CompleteTask } from '../../../lib/text/completion-request';
import { check, ids } from '../../lib/health/support';
import {
	asking,
	CAT,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	failureOf,
	killedInMidAnswer,
	KITTEN,
	nearness,
	REVENUE,
	stoppedInMidAnswer,
	WEATHER_TOOL,
} from './clients';
import { CONTEXT, startRouter, scriptedFile, stopServers } from './servers';

export const KEY = 'sk-test-key-of-llama-server';
/** The models of the llama-server behind the gateway. */
export const CHAT = 'local-chat';
export const EMBED = 'local-embed';
/** A model that takes seconds for an answer, so that it can be ended in the middle. */
export const SLOW = 'local-slow';

/** What the chat template makes of a message: a completion of anything else is empty. */
const CHAT_PROMPT = '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';

export interface StartedGateway {
	url: string;
	/** Headers of its credential beside the key. */
	headers?: Record<string, string>;
	/** Its key; default: the one of llama-server. */
	key?: string;
	kill(): Promise<void>;
}

interface GatewayFacts {
	kind: KindName;
	/** Where it is named in sentences. */
	label: string;
	/** Findings of Server Health with a good key, and with a wrong one. */
	findings?: string[];
	wrongKeyFindings?: string[];
	/** It does not look at the key, and passes on every option. */
	passesOnAll?: true;
	/** Text in the advice for an unknown model. */
	missingModel: string;
}

interface ModelFiles {
	embedding: string;
	slow: string;
}

/** The llama-server behind a gateway: a router with three models, and a key. */
export async function startBehind({ embedding, slow }: ModelFiles): Promise<string> {
	const models = {
		[CHAT]: { model: await scriptedFile(), 'ctx-size': CONTEXT, parallel: 1, threads: 1 },
		[EMBED]: { model: embedding, embeddings: true, threads: 1 },
		[SLOW]: { model: slow, 'ctx-size': CONTEXT, parallel: 1, threads: 1 },
	};
	return await startRouter(models, { apiKey: KEY });
}

/** Defines the tests. `start` begins the servers, and the gateway last. */
export function testGateway(facts: GatewayFacts, start: () => Promise<StartedGateway>): void {
	let gateway: StartedGateway;
	beforeAll(async () => {
		gateway = await start();
	});
	afterAll(stopServers);

	const connect = (key = gateway.key ?? KEY) => {
		const headers = { ...gateway.headers, authorization: `Bearer ${key}` };
		return connectTo({ baseUrl: gateway.url, headers });
	};
	const checkWith = async (apiKey = gateway.key ?? KEY) => {
		const header = Object.entries(gateway.headers ?? {}).map(([name, value]) => ({ name, value }));
		return await check(gateway.url, {}, { apiKey, extraHeaders: { header } });
	};
	const completionOf = async (task: CompleteTask): Promise<FinishedCompletion> => {
		const settings = { model: CHAT, parameters: { maxTokens: 8 }, limits: {}, retries: 0 };
		const generation = complete(connect(), settings, task);
		for (;;) {
			const { value, done } = await generation.next();
			if (done) return value;
		}
	};

	it('Server Health knows it', async () => {
		const result = await checkWith();
		expect(result).toMatchObject({ healthy: true, server: { kind: facts.kind } });
		expect(ids(result)).toEqual(facts.findings ?? []);
	});

	it('a wrong key', async () => {
		expect(ids(await checkWith('sk-wrong'))).toEqual(facts.wrongKeyFindings ?? ['unauthorized']);
		const asked = chat(connect('sk-wrong'), { model: CHAT });
		if (facts.passesOnAll) {
			expect((await asked).answer.text).not.toBe('');
			return;
		}
		const failed = await failureOf(asked);
		expect(failed).toMatchObject({ kind: 'unauthorized', status: 401 });
		expect(JSON.stringify(failed)).not.toContain('sk-wrong');
	});

	it('a chat, a call of a tool, an answer by a schema', async () => {
		const { pieces, answer } = await chat(connect(), { model: CHAT }, asking('Tell a story.'));
		expect(pieces.join('')).toBe(answer.text);
		expect(pieces.length).toBeGreaterThan(1);
		expect(answer.usage?.estimated).toBeUndefined();
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		const { answer: called } = await chat(connect(), { model: CHAT }, call);
		expect(called.toolCalls).toMatchObject([
			{ name: 'get_weather', arguments: '{"city": "Rome"}' },
		]);
		const parameters = { temperature: 0, maxTokens: 60, responseFormat: CITY_SCHEMA };
		const json = asking('Answer in JSON.');
		const { answer: written } = await chat(connect(), { model: CHAT, parameters }, json);
		expect(JSON.parse(written.text)).toEqual({ city: 'Paris' });
	});

	it('vectors, and a text that is too long', async () => {
		const client = embeddingsOf(connect(), { model: EMBED });
		const { vectors } = await client.embed([CAT, KITTEN, REVENUE], 'document');
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.56, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(-0.02, 2);
		const failed = await failureOf(client.embed([CAT, 'word '.repeat(600)], 'document'));
		expect(failed).toMatchObject({ kind: 'contextOverflow' });
		expect(failed.message).toContain('Text 2');
	});

	it('a grammar and thinking are kept to; which it drops, are said', async () => {
		const grammar = { type: 'grammar' as const, grammar: 'root ::= "yes" | "no"' };
		const parameters = { responseFormat: grammar, thinking: { mode: 'off' as const }, topK: 1 };
		const { answer } = await chat(connect(), { model: CHAT, parameters });
		expect(answer.serverKind).toBe(facts.kind);
		if (facts.passesOnAll) {
			// Without thinking, the scripted template puts a token in front.
			expect(answer.text).toMatch(/(?:yes|no)$/);
			expect(answer.notes).toEqual([]);
			return;
		}
		expect(answer.notes).toEqual([
			`This server (${facts.label}) ignores these options, so they were not sent: Top K, Thinking, GBNF Grammar`,
		]);
	});

	it('a header of llama-server proves no native routes: Complete goes to OpenAI’s', async () => {
		await chat(connect(), { model: CHAT });
		const { text, server } = await completionOf({ prompt: CHAT_PROMPT });
		expect(text).not.toBe('');
		expect(server).toBe(facts.kind);
	});

	it('an unknown model, told once and in its terms', async () => {
		const failed = await failureOf(chat(connect(), { model: 'nope', retries: 3 }));
		expect(failed).toMatchObject({ kind: 'modelNotFound', retryable: false });
		expect(failed.remedy).toContain(facts.missingModel);
	});

	it('a message that does not fit into the context, without options of llama-server', async () => {
		const call = asking('w'.repeat(2 * CONTEXT));
		const failed = await failureOf(chat(connect(), { model: CHAT }, call));
		expect(failed).toMatchObject({ kind: 'contextOverflow' });
		expect(failed.message).toContain(String(CONTEXT));
		expect(failed.remedy).not.toContain('--ctx-size');
	});

	it('Stop ends it at once', async () => {
		// A gateway may go on with the answer, and the next test waits for that.
		const settings = { model: SLOW, parameters: { maxTokens: 100 } };
		const failed = await stoppedInMidAnswer(connect(), settings);
		expect(failed).toMatchObject({ kind: 'aborted' });
	});

	it('killed in the middle of an answer', async () => {
		const kill = async () => await gateway.kill();
		expect(await killedInMidAnswer(connect(), { model: SLOW, kill })).toMatchObject({
			kind: 'connectionLost',
		});
	});
}
