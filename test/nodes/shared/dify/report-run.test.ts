import type { RunResult } from '../../../../lib/dify/types';
import { reportRun, type DifyCall } from '../../../../nodes/shared/dify/dify-operation';
import { createClient, sendMessage, startSim } from '../../../lib/dify/client';

/** Metadata of the node and custom data of the execution after these runs. */
function reported(...results: RunResult[]) {
	const values = new Map<string, unknown>();
	const customData = {
		get: (key: string) => values.get(key),
		set: (key: string, value: unknown) => values.set(key, value),
	};
	const hints: string[] = [];
	const call = { context: { customData }, hint: (message: string) => void hints.push(message) };
	for (const result of results) reportRun(call as unknown as DifyCall, result);
	const usage = JSON.parse(String(values.get('llm_usage') ?? 'null')) as unknown;
	return { in: values.get('llm_tokens_in'), out: values.get('llm_tokens_out'), usage, hints };
}

test('token counts of runs add up', async () => {
	const client = createClient(await startSim({}));
	const results = [(await sendMessage(client)).result, (await sendMessage(client)).result];
	const sum = (field: 'prompt_tokens' | 'completion_tokens') =>
		results.reduce((total, { usage }) => total + usage![field]!, 0);
	expect(reported(...results)).toMatchObject({
		in: sum('prompt_tokens'),
		out: sum('completion_tokens'),
		usage: { generations: 2, uncounted: 0 },
	});
	expect(sum('prompt_tokens')).toBeGreaterThan(0);
});

test('a run without token counts is reported as such; a paused run is not finished', async () => {
	const { result } = await sendMessage(createClient(await startSim({})));
	const runs = [
		{ ...result, usage: undefined, warnings: ['Beware'] },
		{ ...result, status: 'paused' as const },
	];
	expect(reported(...runs)).toMatchObject({
		in: 0,
		usage: { generations: 1, uncounted: 1 },
		hints: ['Beware'],
	});
});

test('the time is that of Dify', async () => {
	const { result } = await sendMessage(createClient(await startSim({})));
	const usage = { prompt_tokens: 5, completion_tokens: 10, total_tokens: 15, latency: 2 };
	expect(reported({ ...result, usage })).toMatchObject({
		usage: { seconds: 2, tokensPerSecond: 5 },
	});
});
