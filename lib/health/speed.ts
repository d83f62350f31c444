/** How fast a model is: one answer alone, and several at once. */
import { randomBytes } from 'node:crypto';

import { failureInStream, holdsError } from '../errors/classify';
import { failure } from '../errors/failure';
import { asFailed, type ServerError } from '../errors/server-error';
import type { Answer } from '../http/ask';
import { contextOf } from '../http/failures';
import { request } from '../http/request';
import { parseJson } from '../json';
import { CHAT_ROUTE } from '../servers/base-url';
import { knownKind, KINDS } from '../servers/kinds';
import type { Server, ServerKind } from '../servers/kinds/kind';
import {
	finiteNumber,
	isRecord,
	type JsonRecord,
	largestOf,
	nonEmptyText,
	recordOf,
	recordsIn,
	smallestOf,
} from '../values';
import { canGenerate, modelToTest, type Target } from './check';
import { concluded, findAll, type FindingRow, fromGeneration } from './findings';
import type { CheckResult } from './result';

export interface SpeedOptions {
	/** Empty: the one that is loaded. */
	model: string;
	/** Tokens to generate, for each request. */
	tokens: number;
	/** Requests at once in a second round; up to 1 = no second round. */
	atOnce: number;
	firstTokenMs: number;
	/** For one request, from sending to the end. */
	totalMs: number;
	signal?: AbortSignal;
}

/** One request; null = not known. Times count from sending, without the wait in n8n's own queue. */
interface Sample {
	/** To the first generated token, thinking included. Null where the whole answer came at once. */
	firstTokenMs: number | null;
	/** In n8n's own queue, before sending: the credential's limit was used up by others. */
	queuedMs: number;
	promptTokensPerSecond: number | null;
	generatedTokens: number;
	tokensPerSecond: number;
	/**
	 * Who measured. `server`: its own timings. `clock`: this node's, from the first piece to the last. `wholeAnswer`: this
	 * node's, from sending to the end, since all came at once: the real speed is higher.
	 */
	measuredBy: 'server' | 'clock' | 'wholeAnswer';
}

/** Averages of one round; first token and the wait in n8n's queue: the slowest. */
export interface SpeedRun {
	/** Requests sent at once. */
	atOnce: number;
	firstTokenMs: number | null;
	queuedMs: number;
	promptTokensPerSecond: number | null;
	/** Of one answer. */
	tokensPerSecond: number | null;
	/** Of all requests together, from the first that was sent to the end of the last: reading the prompt counts. */
	totalTokensPerSecond: number | null;
	measuredBy: Sample['measuredBy'] | null;
	failures: Array<Pick<ServerError, 'kind' | 'message' | 'remedy'>>;
}

export interface WithSpeed extends CheckResult {
	/** Null where the check found that a generation cannot work. */
	speed: { model: string; runs: SpeedRun[] } | null;
}

/**
 * Adds to what a check found out how fast the server generates: alone, and several times at once where asked for. Loads
 * or wakes the model if it has to.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where it is not clear which model is meant
 */
export async function withSpeed(
	target: Target,
	health: CheckResult,
	options: SpeedOptions,
): Promise<WithSpeed> {
	if (target.service !== 'modelServer' || !canGenerate(health)) return { ...health, speed: null };
	const server = target.open();
	const model = modelToTest(health, options.model);
	// The credential's limit holds here too: more requests would be measured one after the other.
	const atOnce = Math.min(options.atOnce, server.maxConcurrentRequests || Infinity);
	const first = await measureRound(server, { ...options, model, atOnce: 1 });
	const isRepeated = atOnce > 1 && first.failed.length === 0;
	const second = isRepeated ? [await measureRound(server, { ...options, model, atOnce })] : [];
	const rounds = [first, ...second];
	const runs = rounds.map(({ run }) => run);
	const failed = new Map(rounds.flatMap((round) => round.failed.map((one) => [one.kind, one])));
	const size = health.models?.find(({ id }) => id === model)?.size ?? 0;
	const found = [
		...[...failed.values()].map(fromGeneration),
		...findAll(SPEED_FINDINGS, { runs, size, requested: options.atOnce, atOnce }),
	];
	const verdict = concluded([...found, ...health.findings], health.status);
	const summary = verdict.healthy ? inWords(model, first.run) : `${verdict.findings[0]!.meaning}.`;
	return { ...health, ...verdict, summary, speed: { model, runs } };
}

function inWords(model: string, { tokensPerSecond, firstTokenMs, measuredBy }: SpeedRun): string {
	const least = measuredBy === 'wholeAnswer' ? 'at least ' : '';
	const start =
		firstTokenMs === null
			? 'first token not to be seen'
			: `first token after ${secondsInWords(firstTokenMs)} s`;
	return `${model}: ${least}${tokensPerSecond} tokens/s, ${start}.`;
}

/** "0.21", "12.5": seconds with as many digits as people compare. */
export function secondsInWords(ms: number): string {
	const digits = ms < 100 ? 3 : 2;
	return String(Number((ms / 1000).toFixed(ms >= 10_000 ? 1 : digits)));
}

interface Round {
	run: SpeedRun;
	failed: ServerError[];
}

/** @throws {ServerError} only of kind `aborted` */
async function measureRound(server: Server, options: SpeedOptions): Promise<Round> {
	const { atOnce } = options;
	const startedAt = performance.now();
	const measuring = Array.from(
		{ length: atOnce },
		async () => await measureOnce(server, options).catch(asFailed),
	);
	const outcomes = await Promise.all(measuring);
	const samples = outcomes.flatMap((outcome) => ('failed' in outcome ? [] : [outcome]));
	const failed = outcomes.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : []));
	const aborted = failed.find(({ kind }) => kind === 'aborted');
	if (aborted !== undefined) throw aborted;
	const tokens = samples.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0);
	const waitedMs = smallestOf(
		samples.map((one) => one.queuedMs),
		0,
	);
	const wholeMs = performance.now() - startedAt - waitedMs;
	const run: SpeedRun = {
		atOnce,
		firstTokenMs: greatest(samples.map((one) => one.firstTokenMs)),
		queuedMs: greatest(samples.map((one) => one.queuedMs)) ?? 0,
		promptTokensPerSecond: average(samples.map((one) => one.promptTokensPerSecond)),
		tokensPerSecond: average(samples.map((one) => one.tokensPerSecond)),
		totalTokensPerSecond: tokens === 0 ? null : rounded((tokens * 1000) / wholeMs),
		measuredBy: samples[0]?.measuredBy ?? null,
		failures: failed.map(({ kind, message, remedy }) => ({ kind, message, remedy })),
	};
	return { run, failed };
}

function greatest(values: ReadonlyArray<number | null>): number | null {
	const known = values.filter((value) => value !== null);
	return known.length === 0 ? null : largestOf(known);
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
	server: Server,
	{ model, tokens, firstTokenMs, totalMs, signal }: SpeedOptions,
): Promise<Sample> {
	const askedAt = performance.now();
	const kind: ServerKind = KINDS[knownKind(server) ?? 'other'];
	const content = `Text ${randomBytes(4).toString('hex')}.\n\n${PARAGRAPH}\n\nTell this again in your own words, in detail.`;
	const json = {
		model,
		messages: [{ role: 'user', content }],
		max_tokens: tokens,
		temperature: 0,
		stream: true,
		stream_options: { include_usage: true },
		...kind.measuring,
	};
	return await request(
		server,
		{
			url: server.url.api + CHAT_ROUTE,
			json,
			model,
			limits: { firstTokenMs, idleMs: firstTokenMs, totalMs },
			signal,
			priority: 'person',
		},
		async (answer) => await readSample(server, answer, askedAt),
	);
}

/** What is read of an answer. */
interface Pieces {
	text: string;
	count: number;
	firstMs?: number;
	lastMs: number;
	usage: JsonRecord;
	timings: JsonRecord;
}

async function readSample(server: Server, answer: Answer, askedAt: number): Promise<Sample> {
	const { waitedMs } = answer.queue;
	const elapsed = () => performance.now() - askedAt - waitedMs;
	const pieces: Pieces = { text: '', count: 0, lastMs: 0, usage: {}, timings: {} };
	const context = contextOf(server, answer.url);
	for await (const events of answer.events())
		for (const data of events) {
			const chunk = parseJson(data);
			if (!isRecord(chunk)) continue;
			if (holdsError(chunk.error)) throw failureInStream(data, context);
			if (readPiece(pieces, chunk, elapsed())) answer.content();
		}
	if (pieces.text.trim() === '') throw failure('emptyAnswer', context);
	if (isGarbled(pieces.text)) throw failure('garbledAnswer', context);
	return sampleOf(pieces, elapsed(), Math.round(waitedMs));
}

/** Thinking counts as generated. @returns whether something was */
function readPiece(pieces: Pieces, { choices, usage, timings }: JsonRecord, atMs: number): boolean {
	if (isRecord(usage)) pieces.usage = usage;
	if (isRecord(timings)) pieces.timings = timings;
	const { delta, message } = recordsIn(choices)[0] ?? {};
	const { content, reasoning_content: thinking, reasoning } = recordOf(delta ?? message);
	const piece = [content, thinking, reasoning].map(nonEmptyText).find((text) => text !== undefined);
	if (piece === undefined) return false;
	pieces.count++;
	pieces.firstMs ??= atMs;
	pieces.lastMs = atMs;
	// The beginning is enough to tell garbage.
	if (pieces.text.length < MAX_JUDGED) pieces.text += piece;
	return true;
}

const MAX_JUDGED = 400;
/** A shorter answer may well repeat one character. */
const MIN_GARBLED = 8;

/** One character repeated (`@@@@`, `GGGG`), as from a GPU or a cache type that does not fit. */
function isGarbled(text: string): boolean {
	const signs = [...text.replace(/\s/g, '')];
	return signs.length >= MIN_GARBLED && new Set(signs).size === 1;
}

/** Pieces that are spread over a smaller share of the time came at once: something collected them. */
const LEAST_SPREAD = 0.05;
/** A faster answer looks collected even where it is not. */
const MIN_JUDGED_MS = 50;

/** Whether all came in a small part of the time. */
function cameAtOnce(generatingMs: number, totalMs: number): boolean {
	return totalMs >= MIN_JUDGED_MS && generatingMs < totalMs * LEAST_SPREAD;
}

/** As the timings of llama-server tell it, else the usage. */
function countIn(timing: unknown, usage: unknown): number | undefined {
	return finiteNumber(timing) ?? finiteNumber(usage);
}

type GenerationSpeed = Pick<Sample, 'tokensPerSecond' | 'measuredBy'>;

/** @param generatingMs from the first piece to the last; undefined where all came at once */
function speedByClock(
	tokens: number,
	generatingMs: number | undefined,
	totalMs: number,
): GenerationSpeed {
	if (generatingMs === undefined)
		return { measuredBy: 'wholeAnswer', tokensPerSecond: rounded((tokens * 1000) / totalMs) };
	return { measuredBy: 'clock', tokensPerSecond: rounded(((tokens - 1) * 1000) / generatingMs) };
}

function sampleOf(
	{ usage, timings, count, firstMs = 0, lastMs }: Pieces,
	totalMs: number,
	queuedMs: number,
): Sample {
	const generatedTokens = countIn(timings.predicted_n, usage.completion_tokens) || count;
	const promptTokens = countIn(timings.prompt_n, usage.prompt_tokens);
	const generatingMs = Math.max(1, lastMs - firstMs);
	const isCollected = count < 2 || cameAtOnce(generatingMs, totalMs);
	const byClock = speedByClock(generatedTokens, isCollected ? undefined : generatingMs, totalMs);
	const byServer = finiteNumber(timings.predicted_per_second);
	// For a single token llama-server has no time, and reports a million.
	const isByServer = byServer !== undefined && generatedTokens > 1;
	const ofPrompt = isCollected || !promptTokens ? null : rounded((promptTokens * 1000) / firstMs);
	return {
		firstTokenMs: isCollected ? null : Math.round(firstMs),
		queuedMs,
		promptTokensPerSecond: finiteNumber(timings.prompt_per_second) ?? ofPrompt,
		generatedTokens,
		...(isByServer ? { measuredBy: 'server', tokensPerSecond: rounded(byServer) } : byClock),
	};
}

/** What the findings of a test look at. */
interface Measured {
	runs: readonly SpeedRun[];
	/** Bytes of the model; 0: not known. */
	size: number;
	/** Requests at once, as the user wants them, and as the credential lets them through. */
	requested: number;
	atOnce: number;
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
/** Tokens per second. Less is reported as slow. */
const UNBEARABLE = 3;

const GPU_ADVICE =
	'Look for "offloaded N/N layers to GPU" at the start of the log of llama-server. If it is missing: start it with --n-gpu-layers all, use a build for your GPU (HIP or ROCm for AMD, CUDA for NVIDIA), give the container the GPU (--device /dev/kfd --device /dev/dri, or --gpus all), and check HIP_VISIBLE_DEVICES. On an MI50 (gfx906) use ROCm 6.3, not 6.4 or newer.';

export const SPEED_FINDINGS: ReadonlyArray<FindingRow<Measured>> = [
	{
		id: 'slowGeneration',
		severity: 'warning',
		when: ({ runs, size }) =>
			size < MIN_SIZE && speedIn(runs) < UNBEARABLE ? `${speedIn(runs)} tokens/s` : undefined,
		text: 'The server generates very slowly',
		advice: GPU_ADVICE,
	},
	{
		id: 'gpuMaybeUnused',
		severity: 'warning',
		when: ({ runs, size }) =>
			size >= MIN_SIZE && size * speedIn(runs) < CPU_BANDWIDTH
				? `${speedIn(runs)} tokens/s with a model of ${gigabytes(size)} GB: ${gigabytes(size * speedIn(runs))} GB/s`
				: undefined,
		text: ({ size }) =>
			`This is as fast as the memory of a CPU allows. An MI50 would generate about ${Math.round(MI50_BANDWIDTH / size)} tokens/s with this model, so if the server has a GPU, all or part of the model may lie beside it (an estimate from the size of the model)`,
		advice: GPU_ADVICE,
	},
	{
		id: 'answerCollected',
		severity: 'warning',
		when: ({ runs: [first] }) =>
			first?.tokensPerSecond !== null && first?.firstTokenMs === null
				? 'The whole answer came at once'
				: undefined,
		text: 'Something collects the answer before it hands it on, so users see nothing for long, and the first token cannot be seen',
		advice:
			'Let the proxy between n8n and the server pass the answer on piece by piece (nginx: proxy_buffering off), or give the address of the server itself. If there is no proxy, the server does not stream.',
	},
	{
		id: 'fewerAtOnce',
		severity: 'warning',
		when: ({ requested, atOnce }) =>
			requested > atOnce ? `${requested} requests at once were wanted` : undefined,
		text: ({ requested, atOnce }) =>
			`The credential lets ${atOnce} ${atOnce === 1 ? 'request' : 'requests'} through at once, so the speed of ${requested} at once was not measured`,
		advice: ({ requested }) =>
			`Set Max Concurrent Requests in the credential to ${requested} or 0 for the test, or use a second credential for it.`,
	},
];

/** Tokens per second of one answer; no limit where that is not known. */
function speedIn([first]: readonly SpeedRun[]): number {
	const isKnown = first?.measuredBy !== 'wholeAnswer';
	return (isKnown ? first?.tokensPerSecond : undefined) ?? Infinity;
}

function gigabytes(bytes: number): number {
	return Math.round(bytes / 1e8) / 10;
}
