/** How fast a model is: one answer alone, and several at once. */
import { randomBytes } from 'node:crypto';

import {
	CompletionAccumulator,
	type Completion as Read,
	type FailedCompletion,
} from '../chat/completion-accumulator';
import { getReportedSpeed } from '../chat/usage';
import { createServerError } from '../errors/create-error';
import { captureError, type ServerError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { toErrorContext } from '../http/request-errors';
import { request } from '../http/request';
import { CHAT_ROUTE } from '../servers/base-url';
import { getCachedTypeName, SERVER_TYPES } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { omitUndefined } from '../values';
import { canGenerate, selectTestModel, type CheckTarget } from './check';
import {
	summarizeFindings,
	evaluateRules,
	type FindingRule,
	findingFromGenerationError,
} from './findings';
import type { CheckResult } from './result';

export interface SpeedOptions {
	/** Empty: the one that is loaded. */
	model: string;
	/** Tokens to generate, for each request. */
	tokens: number;
	/** Requests at once in a second round; up to 1 = no second round. */
	concurrency: number;
	firstTokenMs: number;
	/** For one request, from sending to the end. */
	totalMs: number;
	signal?: AbortSignal;
}

/** One request; null = not known. Times count from sending, without the wait in n8n's own queue. */
interface Sample {
	/** To the first generated token, thinking included. Null where the whole answer came at once. */
	firstTokenMs: number | null;
	promptTokensPerSecond: number | null;
	generatedTokens: number;
	/** By the server's own timings, else from the first piece to the last. Where all came at once, it is at least this. */
	tokensPerSecond: number;
}

/** Averages of one round; first token: the slowest. */
export interface SpeedRun {
	/** Requests sent at once. */
	concurrentRequests: number;
	firstTokenMs: number | null;
	promptTokensPerSecond: number | null;
	/** Of one answer. */
	tokensPerSecond: number | null;
	/** Of all requests together, from the first that was sent to the end of the last: reading the prompt counts. */
	totalTokensPerSecond: number | null;
	failures: Array<Pick<ServerError, 'type' | 'message' | 'suggestion'>>;
}

export interface SpeedCheckResult extends CheckResult {
	/** Null where the check found that a generation cannot work. */
	speed: { model: string; runs: SpeedRun[] } | null;
}

/**
 * Adds to what a check found out how fast the server generates: alone, and several times at once where asked for. Loads
 * or wakes the model if it has to.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function addSpeedTest(
	target: CheckTarget,
	health: CheckResult,
	options: SpeedOptions,
): Promise<SpeedCheckResult> {
	if (target.service !== 'modelServer' || !canGenerate(health)) return { ...health, speed: null };
	const server = target.open();
	const model = selectTestModel(health, options.model);
	// The credential's limit holds here too: more requests would be measured one after the other.
	const concurrency = Math.min(options.concurrency, server.maxConcurrentRequests || Infinity);
	const first = await measureRound(server, { ...options, model, concurrency: 1 });
	const isRepeated = concurrency > 1 && first.failed.length === 0;
	const second = isRepeated ? [await measureRound(server, { ...options, model, concurrency })] : [];
	const rounds = [first, ...second];
	const failed = new Map(rounds.flatMap((round) => round.failed.map((one) => [one.type, one])));
	const size = health.models?.find(({ id }) => id === model)?.size ?? 0;
	const found = [
		...[...failed.values()].map(findingFromGenerationError),
		...evaluateRules(SPEED_FINDINGS, { run: first.run, size }),
	];
	const verdict = summarizeFindings([...found, ...health.findings], health.status);
	const summary = verdict.healthy
		? formatSpeed(model, first.run)
		: `${verdict.findings[0]!.detail}.`;
	return { ...health, ...verdict, summary, speed: { model, runs: rounds.map(({ run }) => run) } };
}

function formatSpeed(model: string, { tokensPerSecond, firstTokenMs }: SpeedRun): string {
	if (firstTokenMs === null)
		return `${model}: at least ${tokensPerSecond} tokens/s, time to first token not measurable.`;
	return `${model}: ${tokensPerSecond} tokens/s, first token after ${formatSeconds(firstTokenMs)} s.`;
}

/** "0.21", "12.5": seconds with as many digits as people compare. */
export function formatSeconds(ms: number): string {
	const digits = ms < 100 ? 3 : 2;
	return String(Number((ms / 1000).toFixed(ms >= 10_000 ? 1 : digits)));
}

interface SpeedRound {
	run: SpeedRun;
	failed: ServerError[];
}

/** @throws {ServerError} only of kind `aborted` */
async function measureRound(server: ModelServer, options: SpeedOptions): Promise<SpeedRound> {
	const { concurrency } = options;
	const startedAt = performance.now();
	const measuring = Array.from(
		{ length: concurrency },
		async () => await measureOnce(server, options).catch(captureError),
	);
	const outcomes = await Promise.all(measuring);
	const samples = outcomes.flatMap((outcome) => ('failed' in outcome ? [] : [outcome]));
	const failed = outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : []));
	const aborted = failed.find(({ type }) => type === 'aborted');
	if (aborted !== undefined) throw aborted;
	const tokens = samples.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0);
	const wholeMs = performance.now() - startedAt;
	const run: SpeedRun = {
		concurrentRequests: concurrency,
		firstTokenMs: greatest(samples.map((one) => one.firstTokenMs)),
		promptTokensPerSecond: average(samples.map((one) => one.promptTokensPerSecond)),
		tokensPerSecond: average(samples.map((one) => one.tokensPerSecond)),
		totalTokensPerSecond: tokens === 0 ? null : rounded((tokens * 1000) / wholeMs),
		failures: failed.map(({ type, message, suggestion }) => ({ type, message, suggestion })),
	};
	return { run, failed };
}

function greatest(values: ReadonlyArray<number | null>): number | null {
	return values.reduce((one, other) => ((one ?? 0) > (other ?? 0) ? one : other), null);
}

function average(values: ReadonlyArray<number | null>): number | null {
	const known = values.filter((value) => value !== null);
	if (known.length === 0) return null;
	return rounded(known.reduce((sum, value) => sum + value, 0) / known.length);
}

function rounded(value: number): number {
	return Math.round(value * 10) / 10;
}

/** About 250 tokens: enough for a meaningful speed of reading, and read within seconds also on a CPU. */
const PARAGRAPH =
	'A water mill stands at the bend of a slow river. Its wheel has twelve wooden blades, and every blade carries a bucket that fills at the bottom and empties at the top. ' +
	'The miller starts work at six in the morning, opens the gate by a hand, and listens until the stones turn evenly. Wheat comes in sacks of fifty kilograms on a cart drawn by two horses. ' +
	'One sack takes twenty minutes to grind when the river is high, and almost an hour in a dry summer. The flour is sieved three times: the first sieve keeps the bran, the second the coarse meal, ' +
	'and what passes the third is white and fine. On market days the baker waits at the door before the first sack is done. In winter the gate freezes, and the miller breaks the ice with an iron bar. ' +
	'His grandfather built the mill from oak that grew on the hill behind it, and the beams still carry the marks of his axe.';

/**
 * Generates a little once. The prompt is always the same but for its first line, which keeps every server's prompt cache
 * out of the measurement.
 *
 * @throws {ServerError}
 */
async function measureOnce(
	server: ModelServer,
	{ model, tokens, firstTokenMs, totalMs, signal }: SpeedOptions,
): Promise<Sample> {
	const askedAt = performance.now();
	const kind: ServerType = SERVER_TYPES[getCachedTypeName(server) ?? 'other'];
	const content = `Text ${randomBytes(4).toString('hex')}.\n\n${PARAGRAPH}\n\nTell this again in your own words, in detail.`;
	const json = {
		model,
		messages: [{ role: 'user', content }],
		max_tokens: tokens,
		temperature: 0,
		stream: true,
		stream_options: { include_usage: true },
		...kind.benchmarkFields,
	};
	return await request(
		server,
		{
			url: server.url.api + CHAT_ROUTE,
			json,
			model,
			timeouts: { firstTokenMs, idleMs: firstTokenMs, totalMs },
			signal,
			priority: 'person',
		},
		async (answer) => await readSample(server, answer, askedAt),
	);
}

async function readSample(
	server: ModelServer,
	answer: HttpResponse,
	askedAt: number,
): Promise<Sample> {
	const elapsed = () => performance.now() - askedAt - answer.queueStats.waitedMs;
	const reader = new CompletionAccumulator();
	let firstMs = 0;
	let lastMs = 0;
	for await (const events of answer.events()) {
		const before = reader.contentEvents;
		for (const data of events) reader.push(data);
		if (reader.contentEvents === before) continue;
		answer.markContent();
		lastMs = elapsed();
		firstMs ||= lastMs;
	}
	const outcome = reader.end();
	const read = 'answer' in outcome ? outcome.answer : outcome.failure;
	const problem = findProblem(read);
	if (problem === undefined)
		return sampleOf(read, reader.contentEvents, { firstMs, lastMs, totalMs: elapsed() });
	const { type, serverText, status } = problem;
	throw createServerError(
		type,
		toErrorContext(server, answer.url),
		omitUndefined({ serverText, status }),
	);
}

/** Why an answer measures nothing. Thinking counts as generated. */
function findProblem(
	read: Read | FailedCompletion,
): Pick<FailedCompletion, 'type' | 'serverText' | 'status'> | undefined {
	if ('type' in read && read.type !== 'onlyThinking') return read;
	// As from a GPU or a cache type that does not fit: `@@@@`, `GGGG`.
	const isGarbled = /^(.)\1{7,}$/su.test((read.text + read.reasoning).replace(/\s/g, ''));
	return isGarbled ? { type: 'garbledOutput' } : undefined;
}

/** Pieces that are spread over a smaller share of the time came at once: something collected them. */
const MIN_SPREAD = 0.05;
/** A faster answer looks collected even where it is not. */
const MIN_MEASURABLE_MS = 50;

/** Milliseconds from the start of a request. */
type Times = Record<'firstMs' | 'lastMs' | 'totalMs', number>;

function isBuffered(pieces: number, { firstMs, lastMs, totalMs }: Times): boolean {
	const isShort = totalMs >= MIN_MEASURABLE_MS && lastMs - firstMs < totalMs * MIN_SPREAD;
	return pieces < 2 || isShort;
}

function sampleOf(
	{ usage, timings }: Read | FailedCompletion,
	pieces: number,
	times: Times,
): Sample {
	const { firstMs, lastMs, totalMs } = times;
	const generatedTokens = usage?.completionTokens || pieces;
	const isCollected = isBuffered(pieces, times);
	const byClock = isCollected
		? (generatedTokens * 1000) / totalMs
		: ((generatedTokens - 1) * 1000) / Math.max(1, lastMs - firstMs);
	const ofPrompt = isCollected || !usage ? null : rounded((usage.promptTokens * 1000) / firstMs);
	return {
		firstTokenMs: isCollected ? null : Math.round(firstMs),
		promptTokensPerSecond: timings?.prompt_per_second ?? ofPrompt,
		generatedTokens,
		tokensPerSecond: rounded(getReportedSpeed(timings) ?? byClock),
	};
}

/** What the findings of a test look at. */
interface SpeedFacts {
	/** Alone. */
	run: SpeedRun;
	/** Bytes of the model; 0: not known. */
	size: number;
}

/**
 * Every generated token reads all weights of a dense model once, so size times tokens per second is the bandwidth in
 * use. Memory of desktop CPUs gives 20 to 60 GB/s, the slowest GPUs worth buying for this over 200, an MI50 about
 * 1,000. A mixture of experts reads less than its size per token, so this errs on the side of silence.
 */
const CPU_BANDWIDTH = 60e9;
/** What an MI50 really reaches, of its 1,024 GB/s. */
const MI50_BANDWIDTH = 400e9;
/** Bytes. Smaller models run well on CPUs, and are too quick to be judged. */
const MIN_SIZE = 1e9;

const GPU_ADVICE =
	'Look for "offloaded N/N layers to GPU" at the start of the llama-server log. If it is missing: start the server with --n-gpu-layers all, use a build for your GPU (HIP or ROCm for AMD, CUDA for NVIDIA), give the container access to the GPU (--device /dev/kfd --device /dev/dri, or --gpus all), and check HIP_VISIBLE_DEVICES. On an MI50 (gfx906) use ROCm 6.3, not 6.4 or newer.';

export const SPEED_FINDINGS: ReadonlyArray<FindingRule<SpeedFacts>> = [
	{
		id: 'gpuPossiblyUnused',
		severity: 'warning',
		observe: ({ run: { tokensPerSecond, firstTokenMs }, size }) => {
			const isKnown = tokensPerSecond !== null && firstTokenMs !== null && size >= MIN_SIZE;
			if (!isKnown || size * tokensPerSecond >= CPU_BANDWIDTH) return undefined;
			return `${tokensPerSecond} tokens/s with a model of ${gigabytes(size)} GB: ${gigabytes(size * tokensPerSecond)} GB/s`;
		},
		detail: ({ size }) =>
			`This speed is within what CPU memory allows. An MI50 would generate about ${Math.round(MI50_BANDWIDTH / size)} tokens/s with this model, so if the server has a GPU, all or part of the model may be running on the CPU (estimated from the model size)`,
		suggestion: GPU_ADVICE,
	},
	{
		id: 'streamBuffered',
		severity: 'warning',
		observe: ({ run: { tokensPerSecond, firstTokenMs } }) =>
			tokensPerSecond !== null && firstTokenMs === null
				? 'The complete response arrived at once'
				: undefined,
		detail:
			'A proxy or the server buffers the response, so users see nothing until the end, and the time to first token cannot be measured',
		suggestion:
			'Turn off buffering in the proxy between n8n and the server (nginx: proxy_buffering off), or use the server address directly. If there is no proxy, the server does not stream.',
	},
];

function gigabytes(bytes: number): number {
	return Math.round(bytes / 1e8) / 10;
}
