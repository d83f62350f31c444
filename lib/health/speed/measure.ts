import { randomBytes } from 'node:crypto';

import { ChatClient } from '../../chat/client';
import { openAiProtocol } from '../../chat/wire/openai';
import { failure } from '../../errors/failure';
import type { FailureKind } from '../../errors/kinds';
import type { Connection } from '../../http/connection';
import { ServerError } from '../../errors/server-error';
import { kindOfServer } from '../answers';
import { describeFailure } from '../probes/probe';
import { average, averageShare, greatest, rounded, sum } from '../numbers';
import { SpeedRecord, type SpeedSample } from './sample';
import type { HealthServerKind, ProbeFailure } from '../observations';
import { largestOf, messageOf, optional, smallestOf } from '../../values';

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

type Summarized =
	| 'firstTokenMs'
	| 'firstTextMs'
	| 'queuedMs'
	| 'promptTokensPerSecond'
	| 'tokensPerSecond'
	| 'acceptedDrafts';

/** Averages over the requests; first token, first text and the wait in n8n's queue: the slowest. */
export interface SpeedRun extends Pick<SpeedSample, Summarized> {
	/** Requests sent at once. */
	atOnce: number;
	/** Of all requests together, from the first that was sent to the end of the last: reading the prompt counts. */
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

/** An answer without text counts if at least this many tokens were generated: hidden thinking. */
const MIN_TOKENS_OF_ANSWER = 2;

/**
 * Generates a little and measures: once, or several times at the same moment. The prompt is always the same but for its
 * first line, which keeps every server's prompt cache out of the measurement. It replaces the cached conversation of
 * one slot.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function measureSpeed(
	connection: Connection,
	options: SpeedOptions,
): Promise<SpeedRun> {
	const outcomes = await Promise.all(
		Array.from({ length: options.atOnce }, async () => await measureOnce(connection, options)),
	);
	const measured = outcomes.filter((outcome) => 'sample' in outcome);
	const failed = outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : []));
	const aborted = failed.find(({ kind }) => kind === 'aborted');
	if (aborted !== undefined) throw aborted;
	const samples = measured.map(({ sample }) => sample);
	const valuesOf = (name: Summarized | 'generatedTokens') => samples.map((one) => one[name]);
	const tokens = sum(valuesOf('generatedTokens'));
	const wholeMs =
		largestOf(measured.map(({ endedAt }) => endedAt)) -
		smallestOf(measured.map(({ startedAt }) => startedAt));
	return {
		atOnce: options.atOnce,
		firstTokenMs: greatest(valuesOf('firstTokenMs')),
		firstTextMs: greatest(valuesOf('firstTextMs')),
		queuedMs: greatest(valuesOf('queuedMs')) ?? 0,
		promptTokensPerSecond: average(valuesOf('promptTokensPerSecond')),
		tokensPerSecond: average(valuesOf('tokensPerSecond')),
		acceptedDrafts: averageShare(valuesOf('acceptedDrafts')),
		totalTokensPerSecond:
			tokens === null || !(wholeMs > 0) ? null : rounded((tokens * 1000) / wholeMs),
		samples,
		failures: failed.map(describeFailure),
	};
}

interface Measured {
	sample: SpeedSample;
	startedAt: number;
	endedAt: number;
}

/** Generates a little once, with a place in the credential's queue. */
async function measureOnce(
	connection: Connection,
	options: SpeedOptions,
): Promise<Measured | { failed: ServerError }> {
	const askedAt = performance.now();
	let leave: () => void;
	try {
		// Waiting for other workflows with this credential is no property of the server.
		leave = await connection.enter({
			limits: { firstTokenMs: options.totalMs, totalMs: options.totalMs },
			signal: options.signal,
			about: { model: options.model },
		});
	} catch (error) {
		return { failed: asServerError(error) };
	}
	try {
		return await generateOnce(connection.withoutQueue(), options, performance.now() - askedAt);
	} finally {
		leave();
	}
}

async function generateOnce(
	connection: Connection,
	options: SpeedOptions,
	queuedMs: number,
): Promise<Measured | { failed: ServerError }> {
	const startedAt = performance.now();
	const elapsed = () => performance.now() - startedAt;
	const record = new SpeedRecord();
	let isCall = false;
	try {
		const content = `Text ${randomBytes(4).toString('hex')}.\n\n${PARAGRAPH}\n\nTell this again in your own words, in detail.`;
		const pieces = clientFor(connection, options).generate({
			messages: [{ type: 'human', content }],
			signal: options.signal,
			onChunk: (chunk) => record.note(chunk, elapsed()),
		});
		for (let next = await pieces.next(); !next.done; next = await pieces.next())
			if (next.value !== '') record.noteText(elapsed());
	} catch (error) {
		const failed = asServerError(error);
		if (!isMeasurable(failed, record)) return { failed };
		isCall = failed.kind === 'toolCallInvalid' || failed.kind === 'toolCallCut';
	}
	const isNothing = record.pieces.areBlank && !record.mayHideThinking && !isCall;
	if (record.pieces.areGarbled || isNothing)
		return { failed: failure('garbledAnswer', connection.contextOf(connection.url.api)) };
	const endedAt = performance.now();
	return { sample: record.sample(endedAt - startedAt, queuedMs), startedAt, endedAt };
}

function clientFor(
	connection: Connection,
	{ model, tokens, serverKind, firstTokenMs, totalMs }: SpeedOptions,
): ChatClient {
	const { benchmarkFields: extraBody } = kindOfServer(serverKind).health;
	return new ChatClient(
		connection,
		{
			model,
			parameters: { maxTokens: tokens, temperature: 0, ...optional({ extraBody }) },
			reasoningEcho: 'off',
			showThinking: false,
			limits: { firstTokenMs, idleMs: firstTokenMs, totalMs },
			retries: 0,
		},
		openAiProtocol,
	);
}

/** Failures of an answer that has no readable text, but tokens. */
const WITHOUT_TEXT: ReadonlySet<FailureKind> = new Set([
	'onlyThinking',
	'emptyAnswer',
	'toolCallInvalid',
	'toolCallCut',
]);

/** Whether the model generated something, though no readable text came here. */
function isMeasurable({ kind, facts }: ServerError, record: SpeedRecord): boolean {
	if (!WITHOUT_TEXT.has(kind) || (record.tokens ?? 0) < MIN_TOKENS_OF_ANSWER) return false;
	// Thinking that is not shown may use up all tokens. A model that ends by itself with nothing said nothing.
	const { reasoningTokens } = record;
	return kind !== 'emptyAnswer' || facts.finishReason !== 'stop' || reasoningTokens > 0;
}

export function asServerError(error: unknown): ServerError {
	if (error instanceof ServerError) return error;
	return new ServerError({
		kind: 'invalidAnswer',
		message: messageOf(error),
		remedy: 'Try again, and report it if it stays.',
	});
}
