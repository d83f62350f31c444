import { ChatClient } from '../../lib/chat/client';
import type { ChatSettings } from '../../lib/chat/request/request';
import type { FinishedAnswer } from '../../lib/chat/types';
import { closeChannels } from '../../lib/http/dispatcher';
import { connectTo } from '../../lib/servers/connect';
import { type KeptAnswersProxy, startKeptAnswersProxy } from '../servers/kept-answers-proxy';
import { useSimulator } from '../servers/use-simulator';
import { startLlamaServer, stopEverything, type LlamaServer } from './support/playground';
import { until } from './support/until';

const TOKENS = 400;
const ANSWERS = 40;
const STOPS = 10;

const startProxy = useSimulator(startKeptAnswersProxy);

let server: LlamaServer;

beforeAll(async () => {
	server = await startLlamaServer({ contextSize: 4096, parallel: 2 });
});
afterAll(async () => {
	await stopEverything();
	await closeChannels();
});

/** Pseudo-random places, the same in every run. */
function* places(below: number): Generator<number, never> {
	for (let at = 12_345; ; at = (at * 1_103_515_245 + 12_345) % 2_147_483_648) yield at % below;
}

async function answerOf(
	proxy: KeptAnswersProxy,
	seed: number,
	signal?: AbortSignal,
): Promise<FinishedAnswer> {
	const settings: ChatSettings = {
		model: 'tiny',
		parameters: { seed, maxTokens: TOKENS, temperature: 1, extraBody: { ignore_eos: true } },
		serverKind: 'llamaServer',
		reasoningEcho: 'off',
		showThinking: false,
		limits: {},
		retries: 0,
	};
	const answer = new ChatClient(connectTo({ baseUrl: proxy.url }), settings).generate({
		messages: [{ type: 'human', content: `Number ${seed}` }],
		signal,
	});
	for (;;) {
		const next = await answer.next();
		if (next.done === true) return next.value;
	}
}

async function busySlots(): Promise<number> {
	const slots = (await (await fetch(`${server.url}/slots`)).json()) as Array<{
		is_processing: boolean;
	}>;
	return slots.filter(({ is_processing: isBusy }) => isBusy).length;
}

test(`${ANSWERS} answers whose socket breaks somewhere are whole, nothing comes twice, and nothing is left on the server`, async () => {
	const whole = await startProxy(server.url, { keeps: 'server' });
	const where = places(40_000);
	const broken = await startProxy(server.url, {
		keeps: 'server',
		breakAfter: ({ target }) =>
			target.includes('stream') && target.includes('lookup') ? undefined : where.next().value,
	});
	let resumed = 0;
	for (let seed = 1; seed <= ANSWERS; seed++) {
		const expected = await answerOf(whole, seed);
		const answer = await answerOf(broken, seed);
		expect(answer.text).toBe(expected.text);
		expect(answer.usage?.completionTokens).toBe(expected.usage?.completionTokens);
		resumed += answer.notes.filter((note) => note.includes('in the middle of the answer')).length;
	}
	expect(resumed).toBeGreaterThan(ANSWERS / 4);
	expect(await until(busySlots, (busy) => busy === 0)).toBe(0);
});

test(`${STOPS} answers that are stopped somewhere leave nothing on the server`, async () => {
	const proxy = await startProxy(server.url, { keeps: 'server' });
	const where = places(60);
	for (let seed = 1; seed <= STOPS; seed++) {
		const stop = AbortSignal.timeout(where.next().value);
		await answerOf(proxy, seed, stop).catch(() => undefined);
		expect(await until(busySlots, (busy) => busy === 0)).toBe(0);
	}
	expect(proxy.log.filter((line) => line.startsWith('DELETE')).length).toBeGreaterThan(0);
});
