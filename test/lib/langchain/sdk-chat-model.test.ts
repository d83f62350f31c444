import { runTurn } from '../../../lib/chat/turn';
import { toServerToolCallId } from '../../../lib/chat/tools/tool-call-ids';
import { fromRoot, time, weather } from '../../support/n8n/chat-model';
import type { Model } from '../../support/n8n/chat-model';
import { loadSdk } from '../../../lib/langchain/host-classes';
import type { HostGenerator } from '../../../lib/langchain/host-generator';
import { createSdkChatModel } from '../../../lib/langchain/sdk-chat-model';
import { createModelServer } from '../../../lib/servers/endpoint';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { fakeContext } from '../../support/n8n/context';
import { setTimeout as delay } from 'node:timers/promises';
import { PLAIN_SETTINGS } from '../chat/chat-settings';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startServer = useSimulator(startLlamaServerSim);

type Sim = Awaited<ReturnType<typeof startLlamaServerSim>>;
let sim: Sim;

beforeEach(async () => {
	sim = await startServer({});
});
const sdk = loadSdk();
const { concat } = fromRoot('@langchain/core/utils/stream') as {
	concat: (a: unknown, b: unknown) => { tool_calls: unknown[] };
};

/** The model that an n8n gets whose LangChain classes could not be found. */
function fallback(): Model {
	const server = createModelServer({ baseUrl: sim.url }, NO_EXECUTION);
	return modelOf(
		async (createRequest, show) =>
			await runTurn({
				server,
				settings: PLAIN_SETTINGS,
				chatRequest: await createRequest(),
				onDelta: show,
			}),
	);
}

const modelOf = (generate: HostGenerator) =>
	sdk.supplyModel(
		fakeContext({}, {}).context,
		createSdkChatModel({ generate, modelId: 'tiny', sdk }),
	).response as Model;

function sentMessages(at: number): Array<Record<string, unknown>> {
	return (
		sim.requests.filter(({ path }) => path.endsWith('/chat/completions'))[at]!.body as {
			messages: Array<Record<string, unknown>>;
		}
	).messages;
}

describe('the plain SDK path, for an n8n whose classes changed', () => {
	it('streams text', async () => {
		sim.script(reply.text('Hello there'));
		let text = '';
		for await (const { content } of await fallback().stream('Hi')) {
			if (Array.isArray(content))
				text += content.map((block: { text?: string }) => block.text ?? '').join('');
		}
		expect(text).toBe('Hello there');
	});

	it('returns a complete response', async () => {
		sim.script(reply.text('Hello there'));
		const message = await fallback().invoke('Hi');
		expect(JSON.stringify(message.content)).toContain('Hello there');
	});

	it('passes two parallel calls on correctly, although the adapter mixes up the usual deltas', async () => {
		sim.script(
			reply.toolCalls([
				{ name: 'get_weather', arguments: { city: 'Paris' } },
				{ name: 'get_time', arguments: { tz: 'UTC' } },
			]),
		);
		let all: { tool_calls: unknown[] } | undefined;
		for await (const chunk of await fallback().bindTools([weather, time]).stream('Hi'))
			all =
				all === undefined ? (chunk as unknown as { tool_calls: unknown[] }) : concat(all, chunk);
		expect(all?.tool_calls).toMatchObject([
			{ name: 'get_weather', args: { city: 'Paris' } },
			{ name: 'get_time', args: { tz: 'UTC' } },
		]);
	});

	it('sends every tool once although the adapter binds twice', async () => {
		const bound = fallback().bindTools([time, weather]).bindTools([time, weather]);
		await (bound as Model).invoke('Hi');
		const body = sim.requests.at(-1)!.body as { tools: Array<{ function: { name: string } }> };
		expect(body.tools.map((tool) => tool.function.name)).toEqual(['get_time', 'get_weather']);
	});

	it('sends back calls and results in the right roles', async () => {
		sim.script(reply.toolCalls([{ name: 'get_time', arguments: { tz: 'UTC' }, id: 'idA' }]));
		const bound = fallback().bindTools([time]);
		const first = await bound.invoke('What time is it?');
		const id = toServerToolCallId({ id: first.tool_calls![0]!.id!, name: 'get_time' });
		await bound.invoke([
			{ role: 'user', content: 'What time is it?' },
			first,
			{ role: 'tool', tool_call_id: first.tool_calls![0]!.id, content: 'noon' },
		]);
		expect(sentMessages(1)).toMatchObject([
			{ role: 'user', content: 'What time is it?' },
			{
				role: 'assistant',
				tool_calls: [{ id, function: { name: 'get_time', arguments: '{"tz":"UTC"}' } }],
			},
			{ role: 'tool', tool_call_id: id, content: 'noon' },
		]);
	});

	it('ends the request when its consumer stops, or at Stop', async () => {
		const signals: AbortSignal[] = [];
		const endless = modelOf(async (createRequest, show) => {
			const signal = (await createRequest()).signal!;
			signals.push(signal);
			for (; !signal.aborted; await delay(1)) void show?.('Hello');
			throw new Error('Stopped');
		});
		for await (const _chunk of await endless.stream('Hi')) break;
		const stop = new AbortController();
		const stopped = (async () => {
			for await (const _chunk of await endless.stream('Hi', { signal: stop.signal })) stop.abort();
		})();
		await expect(stopped).rejects.toThrow();
		expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
	});

	it('throws errors that the adapter would treat as success', async () => {
		sim.script(reply.chunks(['half'], { error: { message: 'Compute error.' } }));
		const run = async () => {
			for await (const chunk of await fallback().stream('Hi')) expect(chunk).toBeDefined();
		};
		await expect(run()).rejects.toMatchObject({ type: 'streamError', partialText: 'half' });
	});
});
