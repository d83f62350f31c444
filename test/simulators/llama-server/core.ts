/** Shared by all profiles: scripted replies, slots, and the generation from queue to last byte. */
import { sendReply, type WireReply, type Write } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import type { Task } from './chat';
import { DIALECTS, collect, type Dialect, SENDS_CALLS_WHOLE, SENDS_TEXT_WHOLE } from './dialects';
import { kvCacheFull, SimError } from './errors';
import { answerOf, type Job, limited, paced, totals } from './generate';
import { streamReply } from './http';
import type { Settings } from './options';
import { renderGenerated } from './prompt';
import {
	type Delta,
	type GenerationReply,
	isSpecial,
	type PlainReply,
	type Reply,
	type Scripted,
	type Step,
} from './reply';
import { SlotPool } from './slots';

/** Sums for `/metrics`. */
export interface Counters {
	prompt: number;
	cached: number;
	predicted: number;
	promptSeconds: number;
	predictedSeconds: number;
	decodes: number;
	maxTokens: number;
}

export interface Generation {
	task: Task;
	reply: GenerationReply;
	/** Default answer: limits and stop words apply, a prefill is repeated. */
	defaulted: boolean;
	model: string;
	stream: (job: Job) => AsyncGenerator<Write>;
	whole: (job: Job) => WireReply;
	/** Adds the server's headers. */
	dress: (reply: WireReply) => WireReply;
	/** Prompts of so many tokens are refused; Infinity for servers that shorten them. */
	contextLimit: number;
}

/** Replies that a test set for routes. */
type RouteReplies = Map<string, Scripted>;

export class Core {
	readonly pool: SlotPool;
	readonly dialect: Dialect;
	readonly script: Scripted[] = [];
	readonly routes: RouteReplies = new Map();
	readonly counters: Counters = {
		prompt: 0,
		cached: 0,
		predicted: 0,
		promptSeconds: 0,
		predictedSeconds: 0,
		decodes: 0,
		maxTokens: 0,
	};
	readonly closed = new AbortController();
	private ids = 0;

	constructor(readonly settings: Settings) {
		this.pool = new SlotPool(settings.slots, settings.nCtx);
		this.dialect = DIALECTS[settings.profile];
	}

	/** The reply that a test set for the route, if any. */
	async routeReply(request: WireRequest): Promise<Reply | undefined> {
		const found = this.routes.get(`${request.method} ${request.path}`);
		return typeof found === 'function' ? await found(request) : found;
	}

	/** The next scripted reply; undefined if there is none, or if it declines this request. */
	async nextReply(request: WireRequest): Promise<Reply | undefined> {
		const next = this.script.shift();
		return typeof next === 'function' ? await next(request) : next;
	}

	/** Parses a request; if it is refused, the scripted reply is kept for the next one. */
	orPutBack<T>(read: () => T, scripted: Reply | undefined): T {
		let done = false;
		try {
			const task = read();
			done = true;
			return task;
		} finally {
			if (!done && scripted) this.script.unshift(scripted);
		}
	}

	async sendPlain(
		exchange: Exchange,
		{ reply, dressed }: PlainReply,
		dress: (reply: WireReply) => WireReply,
	): Promise<void> {
		await sendReply(exchange, dressed ? dress(reply) : reply);
	}

	/** Runs a generation: queue, slot, prompt, tokens, end. @throws errors that are found in the slot */
	async generate(exchange: Exchange, generation: Generation): Promise<void> {
		const { request } = exchange;
		const { task, reply } = generation;
		const leases = await this.pool.acquire({
			prompt: task.prompt,
			idSlot: task.idSlot,
			count: task.n,
			cachePrompt: task.cachePrompt,
			signal: request.signal,
			nPredict: task.maxTokens,
		});
		if (!leases) return;
		const produced: Delta[] = [];
		try {
			const [lease] = leases;
			if (lease!.promptTokens >= generation.contextLimit)
				throw kvCacheFull(lease!.promptTokens, generation.contextLimit);
			const { signal } = request;
			if (signal.aborted) return;
			const job = this.job(generation, leases, signal, produced);
			const { transport } = reply;
			if (task.stream)
				await sendReply(exchange, {
					...generation.dress(streamReply(generation.stream(job))),
					transport,
				});
			else {
				const walk = paced(job);
				while (!(await walk.next()).done);
				if (signal.aborted) return;
				const { error } = job.options;
				if (error) {
					const { code = 500, message, type = 'server_error' } = error;
					throw new SimError(code, { error: { code, message, type } });
				}
				await sendReply(exchange, { ...generation.dress(generation.whole(job)), transport });
			}
			this.count(job);
		} finally {
			const { content, reasoning, calls } = collect(produced);
			const message = {
				role: 'assistant',
				content,
				reasoning,
				calls: calls.map((call) => ({
					id: call.id ?? '',
					name: call.name ?? '',
					arguments: call.arguments,
				})),
			};
			for (const lease of leases) {
				lease.append(renderGenerated(this.settings.template, message));
				lease.release();
			}
		}
	}

	private job(
		generation: Generation,
		leases: Job['leases'],
		signal: AbortSignal,
		produced: Delta[],
	): Job {
		const { task, reply, defaulted, model } = generation;
		const { options } = reply;
		const { profile, nCtx } = this.settings;
		let steps = reply.native ? this.inItsWords(reply.steps) : reply.steps;
		let isTruncated = false;
		if (defaulted) {
			({ steps, cut: isTruncated } = limited(steps, task, nCtx - leases[0]!.promptTokens));
			if (task.prefill !== '') {
				const [first = '', ...rest] = steps;
				steps = [`${task.prefill}${typeof first === 'string' ? first : ''}`, ...rest];
			}
		}
		this.ids += 1;
		return {
			task,
			steps,
			options: isTruncated ? { ...options, finish: 'length' } : options,
			meta: {
				id: options.id ?? this.dialect.newId(this.ids),
				model: options.model ?? model,
				created: Math.floor(Date.now() / 1000),
			},
			dialect: this.dialect,
			leases,
			pool: this.pool,
			signal,
			produced,
			tokenDelayMs: this.settings.tokenDelayMs,
			batch: this.settings.batch,
			roleByToken: profile === 'llama-server' || profile === 'router',
		};
	}

	/** Translates the builder's steps to the simulated server's format. */
	private inItsWords(steps: Step[]): Step[] {
		const { profile } = this.settings;
		const wholeText = SENDS_TEXT_WHOLE.has(profile);
		const wholeCalls = SENDS_CALLS_WHOLE.has(profile);
		const out: Step[] = [];
		const calls: Delta[] = [];
		let text = '';
		for (const step of steps) {
			if (typeof step === 'string') {
				if (wholeText) text += step;
				else out.push(step);
			} else if (isSpecial(step)) out.push(step);
			else if (wholeCalls && step.tool_calls) calls.push(step);
			else out.push(this.dialect.translate(step));
		}
		if (text !== '') out.push(text);
		if (calls.length > 0) {
			const whole = collect(calls).calls.map(({ id, name, arguments: args }, index) => ({
				id,
				index,
				type: 'function',
				function: { name, arguments: args },
			}));
			out.push({ tool_calls: whole });
		}
		return out;
	}

	private count(job: Job): void {
		for (const lease of job.leases) {
			const { usage, timings } = totals(job, lease);
			this.counters.prompt += usage.prompt - usage.cached;
			this.counters.cached += usage.cached;
			this.counters.predicted += usage.completion;
			this.counters.promptSeconds += timings.prompt_ms.value / 1000;
			this.counters.predictedSeconds += timings.predicted_ms.value / 1000;
			this.counters.decodes += usage.completion;
			this.counters.maxTokens = Math.max(this.counters.maxTokens, usage.prompt + usage.completion);
		}
	}
}

/** Awaits the work and returns its `SimError`, if any; rethrows other errors. */
export const settle = async (work: Promise<void>): Promise<SimError | undefined> =>
	await work.then(
		() => undefined,
		(error: unknown) => (error instanceof SimError ? error : Promise.reject(error as Error)),
	);

/** Non-streamed answer of a chat. */
export const chatCompletion = (job: Job): object => {
	const perChoice = job.leases.map((lease) => totals(job, lease));
	const answer = answerOf(job);
	const answers = perChoice.map(({ finish }) => ({ answer, finish: finish ?? 'stop' }));
	// Usage covers the first choice only (docs/protocols/llama-server.md 2.6, `n`).
	return job.dialect.completion(job.meta, answers, perChoice[0]!.usage, perChoice[0]!.timings);
};
