import { randomBytes } from 'node:crypto';

import { ChatClient } from '../chat/client';
import { openAiProtocol } from '../chat/wire/openai';
import type { ChatProtocol } from '../chat/wire/protocol';
import type { Connection } from '../http/connection';
import { ServerError } from '../errors/server-error';
import { serverKindOf, traitsOfServer } from './answers';
import { describeFailure } from './probe';
import { rounded, SpeedRecord, type SpeedSample } from './speed-sample';
import type { HealthServerKind, ProbeFailure } from './observations';

export interface SpeedOptions {
	model: string;
	serverKind: HealthServerKind;
	/** Tokens to generate, for each request. */
	tokens: number;
	/** Requests at once. */
	atOnce: number;
	firstTokenMs: number;
	/** For one request, from sending to the end. */
	totalMs: number;
	signal?: AbortSignal;
}

export interface SpeedRun {
	/** Requests that really ran at once, as far as this node lets them through. */
	atOnce: number;
	/** Averages over the requests; first token: the slowest. */
	firstTokenMs: number | null;
	promptTokensPerSecond: number | null;
	/** Of one request. */
	tokensPerSecond: number | null;
	/** Of all requests together. */
	totalTokensPerSecond: number | null;
	samples: SpeedSample[];
	failures: ProbeFailure[];
}

/** About 250 tokens: enough for a meaningful speed of reading, and read within seconds also on a CPU. */
const PARAGRAPH =
	'A water mill stands at the bend of a slow river. Its wheel has twelve wooden blades, and every blade carries a bucket that fills at the bottom and empties at the top. ' +
	'The miller starts work at six in the morning, opens the gate by a hand, and listens until the stones turn evenly. Wheat comes in sacks of fifty kilograms on a cart drawn by two horses. ' +
	'One sack takes twenty minutes to grind when the river is high, and almost an hour in a dry summer. The flour is sieved three times: the first sieve keeps the bran, the second the coarse meal, ' +
	'and what passes the third is white and fine. On market days the baker waits at the door before the first sack is done. In winter the gate freezes, and the miller breaks the ice with an iron bar. ' +
	'His grandfather built the mill from oak that grew on the hill behind it, and the beams still carry the marks of his axe.';

/**
 * Generates a little and measures: once, or several times at the same moment. The prompt is always the same but for its
 * first line, which keeps every server's prompt cache out of the measurement. It costs one slot the conversation it
 * remembered.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function measureSpeed(connection: Connection, options: SpeedOptions): Promise<SpeedRun> {
	const outcomes = await Promise.all(
		Array.from({ length: options.atOnce }, async () => await measureOnce(connection, options)),
	);
	const samples = outcomes.flatMap((outcome) => ('sample' in outcome ? [outcome.sample] : []));
	const failed = outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : []));
	const aborted = failed.find(({ kind }) => kind === 'aborted');
	if (aborted !== undefined) throw aborted;
	const firsts = samples.flatMap(({ firstTokenMs }) => (firstTokenMs === null ? [] : [firstTokenMs]));
	const tokens = sum(samples.map(({ generatedTokens }) => generatedTokens));
	const longestMs = Math.max(0, ...samples.map(({ totalMs }) => totalMs));
	return {
		atOnce: options.atOnce,
		firstTokenMs: firsts.length === 0 ? null : Math.max(...firsts),
		promptTokensPerSecond: average(samples.map(({ promptTokensPerSecond }) => promptTokensPerSecond)),
		tokensPerSecond: average(samples.map(({ tokensPerSecond }) => tokensPerSecond)),
		totalTokensPerSecond:
			tokens === null || longestMs === 0
				? null
				: options.atOnce === 1
					? average(samples.map(({ tokensPerSecond }) => tokensPerSecond))
					: rounded((tokens * 1000) / longestMs),
		samples,
		failures: failed.map(describeFailure),
	};
}

async function measureOnce(
	connection: Connection,
	options: SpeedOptions,
): Promise<{ sample: SpeedSample } | { failed: ServerError }> {
	const startedAt = performance.now();
	const record = new SpeedRecord();
	const protocol: ChatProtocol = {
		...openAiProtocol,
		decode: (event) => {
			const chunk = openAiProtocol.decode(event);
			record.note(chunk, performance.now() - startedAt);
			return chunk;
		},
	};
	const { benchmarkFields } = traitsOfServer(options.serverKind);
	try {
		const client = new ChatClient(
			connection,
			{
				model: options.model,
				parameters: {
					maxTokens: options.tokens,
					temperature: 0,
					...(benchmarkFields === undefined ? {} : { extraBody: benchmarkFields }),
				},
				serverKind: serverKindOf(options.serverKind),
				reasoningEcho: 'off',
				showThinking: false,
				limits: { firstTokenMs: options.firstTokenMs, idleMs: options.firstTokenMs, totalMs: options.totalMs },
				retries: 0,
			},
			protocol,
		);
		const content = `Text ${randomBytes(4).toString('hex')}.\n\n${PARAGRAPH}\n\nTell this again in your own words, in detail.`;
		const pieces = client.generate({ messages: [{ type: 'human', content }], signal: options.signal });
		while (!(await pieces.next()).done);
	} catch (error) {
		const failed = error instanceof ServerError ? error : undefined;
		if (failed === undefined) return { failed: unexpected(error) };
		// The model said something, just nothing that a user would want to read.
		if (
			!['onlyThinking', 'emptyAnswer', 'toolCallInvalid', 'toolCallCut'].includes(failed.kind) ||
			record.firstMs === undefined
		)
			return { failed };
	}
	return { sample: record.sample(performance.now() - startedAt) };
}

function unexpected(error: unknown): ServerError {
	return new ServerError({
		kind: 'invalidAnswer',
		message: error instanceof Error ? error.message : String(error),
		remedy: 'Try again, and report it if it stays.',
	});
}

function average(values: Array<number | null>): number | null {
	const known = values.filter((value) => value !== null);
	return known.length === 0 ? null : rounded(known.reduce((total, value) => total + value, 0) / known.length);
}

function sum(values: Array<number | null>): number | null {
	const known = values.filter((value) => value !== null);
	return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
