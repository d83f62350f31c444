import { createHash } from 'node:crypto';

import { repeatAttempts } from './attempts';
import { useChannel, type ChannelUse } from './dispatcher';
import { isRefusal } from '../errors/http-failure';
import type { ServerError } from '../errors/server-error';
import { download } from './download';
import { eventStream, untilBegun } from './event-stream';
import { Explainer } from './explain';
import { DEFAULT_LIMITS, Watchdog } from './limits';
import { enterAutomaticQueue, enterQueue, isAutomaticQueueUsed } from './queue';
import type { Priority } from './scheduler';
import { Sender, type ConnectionChoice } from './sender';
import { shortCall } from './short-call';
import type {
	UnreadAnswer,
	AnswerOptions,
	CallAnswer,
	CallOptions,
	ConnectionSettings,
	Download,
	DownloadOptions,
	EventStream,
	ServerAddress,
	StreamOptions,
} from './types';
import { parseObject } from '../json';
import { type JsonRecord } from '../values';

/** A request from its first attempt to the end of its answer. */
interface RunningRequest {
	watchdog: Watchdog;
	/** Frees its place in the queue and its connection, and stops its limits. */
	end: () => void;
}

/** One server with one credential. Cheap to create: sockets and the queue are shared between instances. */
export class Connection extends Explainer {
	readonly url: ServerAddress;
	private readonly scope: string;
	private readonly sender: Sender;

	constructor(settings: ConnectionSettings) {
		super(settings);
		this.url = settings.address;
		this.scope = createHash('sha256')
			.update(JSON.stringify(settings.headers ?? {}))
			.digest('base64');
		this.sender = new Sender(settings, this);
	}

	/** Identifies a server with a credential. Contains no key. */
	get id(): string {
		const { ignoreSslIssues = false } = this.settings;
		return JSON.stringify([this.url.api, this.scope, ignoreSslIssues]);
	}

	/** Concurrent generations with this credential, as the user set it; 0 = as many as the server has slots. */
	get maxConcurrentRequests(): number {
		return this.settings.maxConcurrentRequests ?? 0;
	}

	/** The class of its requests in the queue, if known. */
	get priority(): Priority | undefined {
		return this.settings.priority;
	}

	/** The kind of server that the user chose; undefined: it is asked. */
	get chosenKind(): string | undefined {
		return this.settings.chosenKind;
	}

	/** The helpers of the node's context, if known. */
	get host(): object | undefined {
		return this.settings.host;
	}

	/** The same connection with trace headers. */
	traced(traceHeaders: Record<string, string>): Connection {
		return new Connection({ ...this.settings, traceHeaders });
	}

	/** The same connection without the queue, for callers that already waited in `enter`. */
	withoutQueue(): Connection {
		return new Connection({
			...this.settings,
			maxConcurrentRequests: 0,
			knownSlots: undefined,
			onShared: undefined,
		});
	}

	/**
	 * Waits for a place in the credential's queue, which `stream` and `answer` do themselves.
	 *
	 * @returns a function that frees the place
	 * @throws {ServerError}
	 */
	async enter(options: StreamOptions): Promise<() => void> {
		const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...options.limits }, options.signal);
		try {
			return await this.enterQueue(this.url.api, options, watchdog);
		} finally {
			watchdog.stop();
		}
	}

	/**
	 * A short call, without the queue. Returns answers of any status. A GET is sent again once if its reused connection was
	 * already closed.
	 *
	 * @throws {ServerError} if there is no answer
	 */
	async call(url: string, options: CallOptions = {}): Promise<CallAnswer> {
		const { sender } = this;
		return await shortCall(url, options, {
			sender,
			explainer: this,
			openChannel: () => this.channel(),
		});
	}

	/** A short call that must succeed. @throws {ServerError} also for a refusal */
	async accepted(url: string, options: CallOptions = {}): Promise<CallAnswer> {
		const answer = await this.call(url, options);
		if (isRefusal(answer)) throw this.refusal(answer, options.about);
		return answer;
	}

	/**
	 * A short call whose answer must be JSON with a status below 300.
	 *
	 * @throws {ServerError} also for a refusal, or another body
	 */
	async json(url: string, options: CallOptions = {}): Promise<JsonRecord> {
		const answer = await this.call(url, options);
		const value = isRefusal(answer) ? undefined : parseObject(answer.text);
		if (value === undefined) throw this.refusal(answer, options.about);
		return value;
	}

	/**
	 * A streamed generation or run: on its own connection, in the credential's queue, with limits that start now. Retried
	 * only by `options.retry`.
	 *
	 * @throws {ServerError} also from the iteration over `batches`
	 */
	async stream(url: string, options: StreamOptions): Promise<EventStream> {
		return await this.request(
			url,
			options,
			async (answer, running) => await this.beginStream(answer, options, running),
		);
	}

	/**
	 * The stream of an answer, as soon as that has begun. Before, a failure is one of the attempt, and the place in the
	 * queue and the limits are kept for the next one.
	 */
	private async beginStream(
		answer: UnreadAnswer,
		options: StreamOptions,
		{ watchdog, end }: RunningRequest,
	): Promise<EventStream | { failed: ServerError }> {
		const { beginning, framing, onBytes } = options;
		let hasBegun = beginning === undefined;
		const explain = (error: unknown) =>
			this.explain(error, answer.url, options, watchdog, hasBegun);
		const stream = eventStream(answer, {
			framing,
			maskKeys: (text) => this.maskAnswer(text),
			watchdog,
			end: () => (hasBegun ? end() : undefined),
			onBytes,
			explain,
			refusePage: (page) => this.refusedPage(answer, page, options),
		});
		if (beginning === undefined) return stream;
		const outcome = await untilBegun(stream, beginning).catch((error: unknown) => {
			const failed = explain(error);
			const isBroken = failed.kind === 'closedBeforeAnswer';
			return { failed: isBroken ? failed.withFacts({ brokeAfterHead: true }) : failed };
		});
		if ('failed' in outcome) stream.close();
		else hasBegun = true;
		return outcome;
	}

	private refusedPage(
		{ status, headers, url }: UnreadAnswer,
		text: string,
		{ refuse, about }: StreamOptions,
	): ServerError {
		return (
			refuse?.({ status, headers, url, text, json: undefined }) ??
			this.page(status, text, url, about)
		);
	}

	/**
	 * The same for a file, such as sound: its bytes as they arrive. Every piece resets the idle limit.
	 *
	 * @throws {ServerError} also from the iteration over `pieces`
	 */
	async download(url: string, options: DownloadOptions): Promise<Download> {
		return await this.request(url, options, async (answer, { watchdog, end }) => {
			const explain = (error: unknown) => this.explain(error, answer.url, options, watchdog, true);
			return await Promise.resolve(download(answer, { watchdog, end, explain }, options.maxBytes));
		});
	}

	/** Sends a request, with retries, until `begin` succeeds. The reader of the answer calls `end`. */
	private async request<T extends object>(
		url: string,
		options: StreamOptions,
		begin: (answer: UnreadAnswer, running: RunningRequest) => Promise<T | { failed: ServerError }>,
	): Promise<T> {
		const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...options.limits }, options.signal);
		const leave = await this.enterQueue(url, options, watchdog);
		let channel: ChannelUse | undefined;
		const end = () => {
			watchdog.stop();
			leave();
			channel?.release();
		};
		// Also if nobody is reading the answer.
		watchdog.signal.addEventListener('abort', end, { once: true });
		try {
			channel = this.channel();
			const attempt = async (choice: ConnectionChoice) => {
				const sent = await this.sender.trySend(url, options, watchdog, choice);
				return 'failed' in sent ? sent : await begin(sent, { watchdog, end });
			};
			return await repeatAttempts(channel, attempt, options, watchdog);
		} catch (error) {
			end();
			throw this.explain(error, url, options, watchdog);
		}
	}

	/**
	 * A request with the limits and the queue of a generation, whose answer is read as a whole, for example embeddings.
	 * `retry` is also called after an answer that was cut off, so it is for idempotent requests only.
	 *
	 * @returns the answer, if it is not a refusal
	 * @throws {ServerError}
	 */
	async answer(url: string, options: AnswerOptions): Promise<CallAnswer> {
		return await this.request(url, options, async (answer, { watchdog, end }) => {
			watchdog.content();
			try {
				const read = await this.sender.read(answer, options, watchdog);
				if (isRefusal(read)) return { failed: this.refusal(read, options.about) };
				end();
				return read;
			} catch (error) {
				return { failed: this.explainReading(error, answer.url, options, watchdog) };
			}
		});
	}

	/** The channel for a request, which stays open until released. */
	private channel(): ChannelUse {
		const { address, ignoreSslIssues = false, egressFilter, connectLimitMs } = this.settings;
		return useChannel({
			origin: address.origin,
			scope: this.scope,
			ignoreSslIssues,
			egressFilter,
			connectLimitMs,
		});
	}

	private async enterQueue(
		url: string,
		options: StreamOptions,
		watchdog: Watchdog,
	): Promise<() => void> {
		const { knownSlots, onShared } = this.settings;
		const { priority = this.priority, place } = options;
		const request = { priority, place, signal: watchdog.signal };
		try {
			if (this.maxConcurrentRequests > 0 || knownSlots === undefined)
				return await enterQueue(this.id, this.maxConcurrentRequests, request);
			if (isAutomaticQueueUsed(this.id)) onShared?.(options.about?.model);
			return await enterAutomaticQueue(this.id, knownSlots(), request);
		} catch {
			watchdog.stop();
			throw this.queued(url, options, watchdog);
		}
	}
}
