/** Speed of a model: one request alone, and several concurrent ones. */
import { randomBytes } from 'node:crypto';
import { CompletionReader } from '../chat/read/completion-reader';
import { createCompletionError } from '../chat/read/completion-error';
import type { Completion, CompletionFailure } from '../chat/completion';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { getChatFields } from '../chat/body/generation-fields';
import { omitRejectedField } from '../exchange/omit-rejected-field';
import type { RequestField } from '../exchange/request-fields';
import { exchange } from '../exchange/exchange';
import { toShownModelName } from '../servers/model-names';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { TASK_LIMITS } from '../task-limits';
import { omitUndefined } from '../values/records';
import { maxOf, minOf, round } from '../values/numbers';
import { composeText } from '../values/safe-text';
import type { PlainText } from '../values/safe-text';
import type { CheckTarget } from './check';
import { canGenerate, selectTestModel } from './test-model';
import type { CheckResult, FindingRules } from './check-result';
import {
	pluralize,
	concludeHealth,
	summarizeWithFindingCounts,
	evaluateRules,
	findingFromGenerationError,
} from './check-result';
import { toSample } from './speed-sample';
import type { Sample } from './speed-sample';

export interface SpeedOptions {
	/** Empty: the loaded model. */
	model: string;
	/** Tokens to generate, for each request. */
	tokens: number;
	/** Concurrent requests of the last round; 0 or 1 = only the first round. */
	concurrency: number;
	/** Whether a round between them shows how the speed changes. Default: no. */
	hasMiddleRound?: boolean;
	firstTokenMs: number;
	/** For one request, from sending to the end. */
	totalMs: number;
	signal?: AbortSignal;
}

/** Averages of one round. Values that are not known are missing. */
export interface SpeedRun {
	concurrentRequests: number;
	/** Of the slowest response. */
	firstTokenMs?: number;
	promptTokensPerSecond?: number;
	/** Per response. */
	tokensPerSecond?: number;
	/** The fewest that a response had. */
	generatedTokens?: number;
	/** All requests combined, from sending the first to the end of the last, prompt processing included. */
	totalTokensPerSecond?: number;
	failures: SpeedFailure[];
}

/** Why a request of a round failed. */
export interface SpeedFailure extends Pick<ServerError, 'type'> {
	/** Title of the error. */
	message: PlainText;
	suggestion: PlainText;
}

/** The speed of one model. */
interface MeasuredSpeed {
	model: string;
	/** One request alone, then the concurrent ones if they were measured. */
	runs: SpeedRun[];
}

export interface SpeedCheckResult extends CheckResult {
	/** Missing if the check found that a generation cannot work. */
	speed?: MeasuredSpeed;
}

/**
 * Adds the speed of the server to the result of a check: of one request, and of several concurrent ones if configured.
 * Loads or wakes the model if needed.
 *
 * @throws a `ServerError` of type `aborted`, or `invalidInput` if the model is ambiguous
 */
export async function addSpeedTest(
	target: CheckTarget,
	health: CheckResult,
	options: SpeedOptions,
): Promise<SpeedCheckResult> {
	if (target.service !== 'modelServer' || !canGenerate(health)) return health;
	const server = target.createServer();
	const model = selectTestModel(health, options.model);
	// The limits of the queue apply here too: further requests would be measured one after another.
	const slots = server.getSlots(model) ?? health.server.slots ?? Infinity;
	const concurrency = Math.min(options.concurrency, server.maxConcurrentRequests || slots);
	const first = await measureRound(server, { ...options, model, concurrency: 1 });
	const rounds = [first];
	const middle = options.hasMiddleRound === true ? [Math.ceil(concurrency / 2)] : [];
	for (const size of new Set([...middle, concurrency])) {
		if (size > 1 && first.errors.length === 0)
			rounds.push(await measureRound(server, { ...options, model, concurrency: size }));
	}
	const runs = rounds.map(({ run }) => run);
	const errorsByType = new Map(
		rounds.flatMap(({ errors }) => errors).map((error) => [error.type, error]),
	);
	const size = health.models?.find(({ id }) => id === model)?.size ?? 0;
	const findings = [
		...(await Promise.all([...errorsByType.values()].map(findingFromGenerationError))),
		...evaluateRules(SPEED_RULES, {
			run: first.run,
			size,
			uncertainty: findUncertainty(runs, health),
		}),
	];
	const outcome = concludeHealth([...findings, ...health.findings], health.status);
	const summary = outcome.healthy
		? formatSpeed(model, first.run)
		: summarizeWithFindingCounts(`The server is ${outcome.status}`, outcome);
	return { ...health, ...outcome, summary, speed: { model, runs } };
}

function formatSpeed(model: string, { tokensPerSecond, firstTokenMs }: SpeedRun): PlainText {
	const name = toShownModelName(model);
	return composeText(
		firstTokenMs === undefined
			? `${name}: at least ${tokensPerSecond} tokens/s, time to first token not measurable.`
			: `${name}: ${tokensPerSecond} tokens/s, first token after ${formatSeconds(firstTokenMs)} s.`,
	);
}

/** "0.21", "12.5": seconds with a useful number of digits. */
export function formatSeconds(ms: number): string {
	const digits = ms < 100 ? 3 : 2;
	return String(Number((ms / 1000).toFixed(ms >= 10_000 ? 1 : digits)));
}

/** A round: its averages, and why requests failed. */
interface MeasuredRound {
	run: SpeedRun;
	errors: ServerError[];
}

/** @throws a `ServerError` only of type `aborted` */
async function measureRound(server: ModelServer, options: SpeedOptions): Promise<MeasuredRound> {
	const { concurrency } = options;
	const startedAt = performance.now();
	const results = await Promise.all(
		Array.from({ length: concurrency }, () =>
			measureOnce(server, options).catch(asServerErrorOrThrow),
		),
	);
	const samples = results.flatMap((result) => (result instanceof ServerError ? [] : [result]));
	const errors = results.filter((result) => result instanceof ServerError);
	const aborted = errors.find(({ type }) => type === 'aborted');
	if (aborted !== undefined) throw aborted;
	const tokens = samples.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0);
	const totalMs = performance.now() - startedAt;
	const aggregate = (name: keyof Sample, combine: (values: readonly number[]) => number) => {
		const values = samples.flatMap((sample) => sample[name] ?? []);
		return values.length === 0 ? undefined : combine(values);
	};
	const run: SpeedRun = {
		concurrentRequests: concurrency,
		...omitUndefined({
			firstTokenMs: aggregate('firstTokenMs', maxOf),
			promptTokensPerSecond: aggregate('promptTokensPerSecond', average),
			tokensPerSecond: aggregate('tokensPerSecond', average),
			generatedTokens: aggregate('generatedTokens', minOf),
			totalTokensPerSecond: tokens === 0 ? undefined : round((tokens * 1000) / totalMs),
		}),
		failures: errors.map(({ type, message, suggestion }) => ({
			type,
			message: composeText(message),
			suggestion: composeText(suggestion),
		})),
	};
	return { run, errors };
}

function average(values: readonly number[]) {
	return round(values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** About 250 tokens: enough to measure prompt processing, and processed within seconds even on a CPU. */
const PARAGRAPH =
	'There is a water mill at the bend of a slow river. Its wheel has twelve wooden blades, and every blade carries a bucket that fills at the bottom and empties at the top. ' +
	'The miller starts work at six in the morning, opens the gate by a hand, and listens until the stones turn evenly. Wheat comes in sacks of fifty kilograms on a cart drawn by two horses. ' +
	'One sack takes twenty minutes to grind when the river is high, and almost an hour in a dry summer. The flour is sieved three times: the first sieve keeps the bran, the second the coarse meal, ' +
	'and what passes the third is white and fine. On market days the baker waits at the door before the first sack is done. In winter the gate freezes, and the miller breaks the ice with an iron bar. ' +
	'His grandfather built the mill from oak that grew on the hill behind it, and the beams still carry the marks of his axe.';

/** What a measurement sends. All of it may be left out but the prompt. */
const SPEED_FIELDS: readonly RequestField[] = [
	...getChatFields({}),
	{ field: 'cache_prompt', label: undefined, canOmit: true, isTechnical: true },
	{ field: 'ignore_eos', label: undefined, canOmit: true, isTechnical: true },
];

/**
 * Sends one request. Its prompt differs only in the first line, which bypasses the prompt cache of the server.
 *
 * @throws a `ServerError`
 */
async function measureOnce(
	server: ModelServer,
	{ model, tokens, firstTokenMs, totalMs, signal }: SpeedOptions,
): Promise<Sample> {
	const serverType = getProfile(server).getCachedType();
	const content = `Text ${randomBytes(4).toString('hex')}.\n\n${PARAGRAPH}\n\nTell this again in your own words, in detail.`;
	const draft = {
		model,
		messages: [{ role: 'user', content }],
		max_tokens: tokens,
		temperature: 0,
		stream: true,
		stream_options: { include_usage: true },
		...serverType?.benchmarkFields,
	};
	const { value } = await exchange(server, {
		learningScope: 'speed',
		routes: ['openAiChat'],
		draft,
		// A failure is a result.
		isRepeatable: false,
		startAttempt: ({ draft: body }) => {
			const startedAt = performance.now();
			return {
				toBody: () => body,
				// The node wrote all of it.
				getTextsOfOthers: () => [],
				receiveOutcome: async (response) => ({
					type: 'usable',
					value: await readSample(response, startedAt),
				}),
			};
		},
		adaptations: { field: [omitRejectedField({ rows: SPEED_FIELDS })] },
		http: {
			limits: TASK_LIMITS.chat.received,
			model,
			timeouts: { firstTokenMs, idleMs: firstTokenMs, totalMs },
			signal,
			priority: 'interactive',
		},
	});
	return value;
}

async function readSample(response: HttpResponse, startedAt: number): Promise<Sample> {
	const elapsed = () => performance.now() - startedAt - response.queueStats.waitedMs;
	const { secrets } = response.errorContext;
	const reader = new CompletionReader({ secrets });
	let firstMs = 0;
	let lastMs = 0;
	const completion = await reader.receive(response, {
		onContent: () => {
			lastMs = elapsed();
			firstMs ||= lastMs;
		},
		findError: (received) => {
			const failure = findFailure(received);
			return failure && createCompletionError(failure, response);
		},
	});
	return toSample(completion, reader.contentEvents, { firstMs, lastMs, totalMs: elapsed() });
}

/** Why a completion cannot be measured. Thinking counts as generated. */
function findFailure({ text, reasoning, failure }: Completion): CompletionFailure | undefined {
	if (failure && failure.errorType !== 'onlyThinking') return failure;
	// Output of an unsupported GPU or cache type: `@@@@`, `GGGG`.
	const isGarbled = /^(.)\1{7,}$/su.test((text + reasoning).replace(/\s/g, ''));
	return isGarbled ? { errorType: 'garbledOutput' } : undefined;
}

/** Input of the findings. */
interface SpeedFacts {
	/** The round with one request. */
	run: SpeedRun;
	/** Bytes of the model; 0: not known. */
	size: number;
	/** Why the speed says little. */
	uncertainty: string | false;
}

/** A response of fewer tokens is too short to be measured. */
const MIN_TOKENS = 8;

function findUncertainty(
	runs: readonly SpeedRun[],
	{ server: { busySlots = 0, queue = 0 } }: CheckResult,
) {
	const tokens = minOf(runs.flatMap(({ generatedTokens }) => generatedTokens ?? []));
	if (tokens < MIN_TOKENS) return `A response had only ${pluralize(tokens, 'token')}`;
	const requests = busySlots + queue;
	return requests > 0 && `The server was processing ${pluralize(requests, 'other request')}`;
}

/**
 * Every generated token reads all weights of a dense model once, so size times tokens per second is the bandwidth in
 * use. Memory of desktop CPUs gives 20 to 60 GB/s, the slowest GPUs worth buying for this over 200, an MI50 about
 * 1,000. A mixture of experts reads less than its size per token, so this errs on the side of silence.
 */
const CPU_BANDWIDTH = 60e9;
/** Practical bandwidth of an MI50, of its 1,024 GB/s. */
const MI50_BANDWIDTH = 400e9;
/** Bytes. Smaller models run well on CPUs, and are too fast to be judged. */
const MIN_SIZE = 1e9;

export const UNCERTAIN_SPEED = 'speedUncertain';

const GPU_SUGGESTION =
	'Look for "offloaded N/N layers to GPU" at the start of the llama-server log. If it is missing: start the server with --n-gpu-layers all, use a build for your GPU (HIP or ROCm for AMD, CUDA for NVIDIA), give the container access to the GPU (--device /dev/kfd --device /dev/dri, or --gpus all), and check HIP_VISIBLE_DEVICES. On an MI50 (gfx906) use ROCm 6.3, not 6.4 or newer.';

export const SPEED_RULES: FindingRules<SpeedFacts> = {
	[UNCERTAIN_SPEED]: ({ uncertainty }) => ({
		severity: 'info',
		observed: uncertainty,
		detail: 'The measured speed is uncertain, so a report does not plot it',
		suggestion:
			'Measure again while the server has no other requests, with more tokens per response, and with a model that does not end its response at once.',
	}),
	gpuPossiblyUnused: ({ run, size, uncertainty }) => {
		const { tokensPerSecond = Infinity, firstTokenMs } = run;
		const bandwidth = size * tokensPerSecond;
		const isSlow = firstTokenMs !== undefined && size >= MIN_SIZE && bandwidth < CPU_BANDWIDTH;
		return {
			severity: 'warning',
			observed:
				isSlow &&
				uncertainty === false &&
				`${tokensPerSecond} tokens/s with a model of ${toGigabytes(size)} GB: ${toGigabytes(bandwidth)} GB/s`,
			detail: `This speed is within what CPU memory allows. An MI50 would generate about ${Math.round(MI50_BANDWIDTH / size)} tokens/s with this model, so if the server has a GPU, all or part of the model may be running on the CPU (estimated from the model size)`,
			suggestion: GPU_SUGGESTION,
		};
	},
	streamBuffered: ({ run: { tokensPerSecond, firstTokenMs } }) => ({
		severity: 'warning',
		observed:
			tokensPerSecond !== undefined &&
			firstTokenMs === undefined &&
			'The complete response arrived at once',
		detail:
			'A proxy or the server buffers the response, so users see nothing until the end, and the time to first token cannot be measured',
		suggestion:
			'Turn off buffering in the proxy between n8n and the server (nginx: proxy_buffering off), or use the server address directly. If there is no proxy, the server does not stream.',
	}),
};

function toGigabytes(bytes: number) {
	return round(bytes / 1e9);
}
