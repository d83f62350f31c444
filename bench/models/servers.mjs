/** The same work on one server and on two. */
import { join } from 'node:path';
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { writeTinyModel } from '../../scripts/lib/tiny-model.mjs';
import { ratio } from './workflow.mjs';
import { startSlotsGate } from './slots-gate.mjs';
import { contest, medianOf, localLlama, MODEL, SLOTS } from './contest.mjs';

const REQUESTS = 64;
const HOLD_MS = 500;

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const servers = async (environment) => {
	const file = join(environment.folder, 'servers.gguf');
	writeTinyModel(file, { contextLength: 4096, meanTokens: Infinity });
	const settings = {
		model: file,
		alias: MODEL,
		contextSize: 4096,
		parallel: SLOTS,
		threads: 1,
		args: ['--metrics'],
	};
	const behind = [
		await startLlamaServer(environment.binary, settings),
		await startLlamaServer(environment.binary, settings),
	];
	const gates = await Promise.all(
		behind.map(async ({ url }) => await startSlotsGate(url, { slots: SLOTS, holdMs: HOLD_MS })),
	);
	const [first = '', ...further] = gates.map(({ url }) => url);
	const texts = Array.from({ length: REQUESTS }, (_, at) => `Say something about number ${at}.`);
	const parameters = {
		operation: 'chat',
		prompt: '={{ $json.text }}',
		options: { maxTokens: 16, itemsAtOnce: SLOTS * gates.length },
	};
	const results = await contest(
		environment,
		'servers',
		texts,
		{
			'one server': { work: localLlama(first, parameters) },
			'two servers': { work: localLlama(first, parameters, { further }) },
		},
		{ url: behind[0]?.url ?? '' },
	);
	const [onFirst = 0, onSecond = 0] = gates.map(({ generations }) => generations());
	for (const gate of gates) gate.stop();
	for (const server of behind) await server.stop();
	const one = results['one server']?.seconds ?? NaN;
	return [
		'## Two servers',
		'',
		`${REQUESTS} requests of Local Llama, ${SLOTS * gates.length} items at once, over a credential with one server and with two (Further Servers). Two servers on one processor would only share it, so each stands behind a proxy that lets ${SLOTS} generations through at once and keeps each for ${HOLD_MS} ms, as the slots of a machine of its own; behind it is a real llama-server with the generated model. The second server took ${onSecond} of the ${onSecond + onFirst - REQUESTS * environment.rounds} requests that were for both. ${medianOf(environment.rounds)}`,
		'',
		'| | time, s | requests per second | faster than one |',
		'|---|---|---|---|',
		...Object.entries(results).map(
			([name, { seconds }]) =>
				`| ${name} | ${seconds.toFixed(2)} | ${(REQUESTS / seconds).toFixed(1)} | ${ratio(one / seconds)} |`,
		),
	];
};
