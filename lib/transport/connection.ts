import { sleep } from 'n8n-workflow';

import { resolveBaseUrl, BaseUrlError, type ResolvedBaseUrl } from './base-url';
import { channelFor, type ServerChannel } from './dispatcher';
import type { ServerError } from './errors';
import { failure, httpFailure, looksLikeHtml, mask, networkFailure, parseObject, type FailureContext } from './failure';
import { DEFAULT_LIMITS, Watchdog, type Limits } from './limits';
import { SseDecoder, type ServerSentEvent } from './sse';
import { request, type Dispatcher } from './vendor';

/** n8n's egress filter, as `helpers.getSecureEgressFilter()` gives it from n8n 2.30 on. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: boolean; error?: Error }>;
	createSecureLookup(): (hostname: string, options: object, done: (...args: never[]) => void) => void;
	validateRedirectSync(url: string): void;
}

export interface ConnectionSettings {
	/** As the user typed it. */
	baseUrl: string;
	/** Headers that carry the key and the user's extra headers. They never leave the origin of the base URL. */
	headers?: Record<string, string>;
	ignoreSslIssues?: boolean;
	/** Generations at once over this credential; 0 = unlimited. */
	maxConcurrentRequests?: number;
	egressFilter?: EgressFilter;
}

export interface RequestOptions {
	method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Sent as JSON. */
	json?: unknown;
	/** Sent as it is, with its own content type; for uploads. */
	body?: { content: AsyncIterable<Uint8Array> | Uint8Array; contentType: string; length?: number };
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** Named in errors about the model. */
	model?: string;
}

export interface CallOptions extends RequestOptions {
	/** For the whole call, default 15 s. */
	timeoutMs?: number;
	/** A call that changes something: own connection, never sent twice. Default: every method but GET. */
	once?: boolean;
}

export interface CallAnswer {
	status: number;
	headers: Record<string, string>;
	text: string;
	/** Parsed body, where it is JSON. */
	json: unknown;
	/** Where the answer came from, after redirects. */
	url: string;
}

export interface StreamOptions extends RequestOptions {
	limits?: Partial<Limits>;
	/** How often a refused connection or a server that is too busy to take the request up is tried again. */
	retries?: number;
	/** Called before each wait for a server that is loading or busy. */
	onWait?: (reason: 'loading' | 'busy' | 'refused', elapsedMs: number) => void;
}

/** An answer whose body is being read: batches of events, one batch per piece that arrived from the network. */
export interface EventStream {
	url: string;
	status: number;
	headers: Record<string, string>;
	/** A JSON answer although a stream was asked for comes as one event named `whole-answer`. */
	batches: AsyncIterable<ServerSentEvent[]>;
	/** To be called when the first token arrived: from then on the idle limit counts in place of the first-token limit. */
	firstToken(): void;
	/** To be called when only an end marker can still come: a socket that is left open is then given up after 3 s. */
	finishing(): void;
	/** Lines in the body that were no events. */
	strayLines(): readonly string[];
	/** Closes the connection if it is still open, which frees the server's slot. */
	close(): void;
}

const MOST_REDIRECTS = 5;
const MOST_ERROR_BODY = 1024 * 1024;
const END_MARKER_MS = 3_000;
const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];

/** One server with one credential. Cheap to make: connections are shared behind it. */
export class Connection {
	readonly url: ResolvedBaseUrl;
	private readonly channel: ServerChannel;
	private readonly secrets: string[];

	/** @throws {ServerError} of kind `invalidUrl` */
	constructor(private readonly settings: ConnectionSettings) {
		this.url = resolved(settings.baseUrl);
		const headers = settings.headers ?? {};
		this.secrets = Object.values(headers).flatMap((value) => [value, value.replace(/^Bearer /, '')]);
		this.channel = channelFor({
			origin: this.url.origin,
			scope: JSON.stringify(headers),
			ignoreSslIssues: settings.ignoreSslIssues ?? false,
			egressFilter: settings.egressFilter,
		});
	}

	/** Requests of this credential that wait in n8n for a free place. */
	get queueLength(): number {
		return this.channel.queue.length;
	}

	/** Takes the credential's key and header values out of a text. */
	mask(text: string): string {
		return mask(text, this.secrets) ?? '';
	}

	/** What errors about a URL may name. */
	contextOf(url: string, model?: string): FailureContext {
		return { url, root: this.url.root, model, secrets: this.secrets };
	}

	/**
	 * A short call. Answers of any status are returned; only a server that cannot be reached raises an error.
	 * A GET whose kept connection turns out to be closed is sent again once.
	 */
	async call(url: string, options: CallOptions = {}): Promise<CallAnswer> {
		const once = options.once ?? (options.method ?? 'GET') !== 'GET';
		const timeoutMs = options.timeoutMs ?? 15_000;
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs });
		const signal = anySignal(options.signal, watchdog.signal);
		const attempt = async (dispatcher: Dispatcher) => {
			const answer = await this.send(url, options, signal, dispatcher);
			return await readAnswer(answer);
		};
		try {
			return await attempt(once ? this.channel.fresh : this.channel.keepAlive).catch(async (error: unknown) => {
				const failed = this.explain(error, url, options, watchdog);
				if (once || failed.kind !== 'closedBeforeAnswer') throw failed;
				return await attempt(this.channel.fresh);
			});
		} catch (error) {
			throw this.explain(error, url, options, watchdog);
		} finally {
			watchdog.stop();
		}
	}

	/**
	 * A short call whose answer must be JSON with a status below 300.
	 *
	 * @throws {ServerError} that says what the status or the body means
	 */
	async json(url: string, options: CallOptions = {}): Promise<Record<string, unknown>> {
		const answer = await this.call(url, options);
		const value = answer.status < 300 ? parseObject(answer.text) : undefined;
		if (value === undefined) throw this.refusal(answer, options.model);
		return value;
	}

	/** The error that an answer stands for. */
	refusal(answer: CallAnswer, model?: string): ServerError {
		return httpFailure(
			{ status: answer.status, contentType: answer.headers['content-type'], body: answer.text, location: answer.headers.location },
			this.contextOf(answer.url, model),
		);
	}

	/**
	 * A generation or run: on a connection of its own, inside the queue of this credential, with limits. Waits out a server
	 * that is loading its model; tries again only what the server cannot have taken up.
	 *
	 * @throws {ServerError} also from the iteration over `batches`
	 */
	async stream(url: string, options: StreamOptions): Promise<EventStream> {
		const leave = await this.enterQueue(url, options);
		const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...options.limits });
		const end = () => {
			watchdog.stop();
			leave();
		};
		try {
			const signal = anySignal(options.signal, watchdog.signal);
			const answer = await this.sendWhenReady(url, options, signal, watchdog);
			return this.eventStream(answer, options, watchdog, end);
		} catch (error) {
			end();
			throw this.explain(error, url, options, watchdog);
		}
	}

	private async enterQueue(url: string, options: StreamOptions): Promise<() => void> {
		try {
			return await this.channel.queue.enter(this.settings.maxConcurrentRequests ?? 0, options.signal);
		} catch {
			throw failure('aborted', this.contextOf(url, options.model));
		}
	}

	private async sendWhenReady(url: string, options: StreamOptions, signal: AbortSignal, watchdog: Watchdog): Promise<Answer> {
		const startedAt = performance.now();
		for (let tries = 0, waits = 0; ; waits++) {
			const outcome = await this.trySend(url, options, signal, watchdog);
			if (!('failed' in outcome)) return outcome;
			const { failed } = outcome;
			const reason = failed.kind === 'loading' || failed.kind === 'busy' || failed.kind === 'refused' ? failed.kind : undefined;
			if (reason === undefined) throw failed;
			const pause = BACK_OFF_MS[Math.min(waits, BACK_OFF_MS.length - 1)]!;
			if (reason === 'loading') {
				if (pause >= watchdog.firstTokenLeftMs) throw this.stillLoading(failed, options);
			} else if (tries++ >= (options.retries ?? 0)) {
				throw failed;
			}
			options.onWait?.(reason, performance.now() - startedAt);
			await pauseFor(pause, signal);
		}
	}

	private async trySend(url: string, options: StreamOptions, signal: AbortSignal, watchdog: Watchdog): Promise<Answer | { failed: ServerError }> {
		try {
			const answer = await this.send(url, options, signal, this.channel.fresh);
			const contentType = answer.headers['content-type'] ?? '';
			if (answer.status < 300 && !/text\/html/i.test(contentType)) return answer;
			const { text, ...rest } = await readAnswer(answer);
			return { failed: this.refusal({ ...rest, text }, options.model) };
		} catch (error) {
			return { failed: this.explain(error, url, options, watchdog) };
		}
	}

	private stillLoading(failed: ServerError, options: StreamOptions): ServerError {
		const limitMs = options.limits?.firstTokenMs ?? DEFAULT_LIMITS.firstTokenMs;
		return failure('loading', this.contextOf(failed.url ?? '', options.model), {
			status: failed.status,
			serverText: failed.serverText,
			about: { limitMs },
		});
	}

	private eventStream(answer: Answer, options: StreamOptions, watchdog: Watchdog, end: () => void): EventStream {
		const decoder = new SseDecoder();
		const explain = (error: unknown) => this.explain(error, answer.url, options, watchdog, true);
		const context = this.contextOf(answer.url, options.model);
		const close = () => {
			end();
			answer.close();
		};
		async function* batches(): AsyncGenerator<ServerSentEvent[]> {
			let opening = '';
			try {
				for await (const bytes of answer.body) {
					watchdog.touch();
					const events = decoder.push(bytes);
					if (events.length > 0) {
						opening = 'events';
						yield events;
					} else if (opening !== 'events' && opening.length < 4096) {
						opening += new TextDecoder().decode(bytes);
					}
				}
				const last = decoder.end();
				if (last.length > 0) yield last;
				else if (opening !== 'events' && looksLikeHtml(opening)) throw httpFailure({ status: answer.status, contentType: 'text/html', body: opening }, context);
			} catch (error) {
				throw explain(error);
			} finally {
				close();
			}
		}
		return {
			url: answer.url,
			status: answer.status,
			headers: answer.headers,
			batches: isJson(answer) ? wholeAnswer(answer, watchdog, explain, close) : batches(),
			firstToken: () => watchdog.firstToken(),
			finishing: () => watchdog.finishing(END_MARKER_MS),
			strayLines: () => decoder.strayLines,
			close,
		};
	}

	/** One request, following redirects. A redirect to another origin loses every header of the credential. */
	private async send(url: string, options: RequestOptions, signal: AbortSignal, dispatcher: Dispatcher): Promise<Answer> {
		let target = url;
		for (let redirects = 0; ; redirects++) {
			const sameOrigin = new URL(target).origin === this.url.origin;
			const answer = await this.sendOnce(target, options, signal, dispatcher, sameOrigin);
			const location = answer.headers.location;
			const follow = isRepeatable(answer.status, options) && location !== undefined && URL.canParse(location, target);
			if (!follow || redirects >= MOST_REDIRECTS) return answer;
			answer.close();
			target = new URL(location, target).href;
			this.settings.egressFilter?.validateRedirectSync(target);
		}
	}

	private async sendOnce(url: string, options: RequestOptions, signal: AbortSignal, dispatcher: Dispatcher, withKey: boolean): Promise<Answer> {
		const allowed = await this.settings.egressFilter?.validateUrl(url);
		if (allowed?.ok === false) throw failure('blockedByPolicy', this.contextOf(url), { serverText: allowed.error?.message });
		const content = options.body?.content ?? (options.json === undefined ? undefined : JSON.stringify(options.json));
		const type = options.body?.contentType ?? (options.json === undefined ? undefined : 'application/json');
		const { statusCode, headers, body } = await request(url, {
			dispatcher,
			method: options.method ?? (content === undefined ? 'GET' : 'POST'),
			signal,
			reset: dispatcher === this.channel.fresh,
			headersTimeout: 0,
			bodyTimeout: 0,
			headers: {
				accept: 'application/json, text/event-stream',
				// A proxy that compresses a stream holds it back until its buffer is full.
				'accept-encoding': 'identity',
				...(type === undefined ? {} : { 'content-type': type }),
				...(options.body?.length === undefined ? {} : { 'content-length': String(options.body.length) }),
				...options.headers,
				...(withKey ? this.settings.headers : {}),
			},
			...(content === undefined ? {} : { body: content as Dispatcher.DispatchOptions['body'] }),
		});
		// An aborted or unread body emits an error that nobody waits for; it is reported where the body is read.
		body.on('error', () => {});
		const flat = flatten(headers);
		return { status: statusCode, headers: flat, url, body: decompressed(body, flat['content-encoding']), close: () => void body.destroy() };
	}

	private explain(error: unknown, url: string, options: RequestOptions, watchdog: Watchdog, started = false): ServerError {
		const context = this.contextOf(url, options.model);
		if (options.signal?.aborted) return failure('aborted', context);
		if (watchdog.hit !== undefined) return failure(watchdog.hit, context, { about: { limitMs: watchdog.hitMs } });
		return networkFailure(error, context, started);
	}
}

interface Answer {
	status: number;
	headers: Record<string, string>;
	url: string;
	body: AsyncIterable<Uint8Array>;
	close(): void;
}

function resolved(baseUrl: string): ResolvedBaseUrl {
	try {
		return resolveBaseUrl(baseUrl);
	} catch (error) {
		throw failure('invalidUrl', {}, error instanceof BaseUrlError ? { message: error.message, facts: { part: error.part } } : {});
	}
}

/** A POST may be repeated at another address only where the status says that the method stays the same. */
function isRepeatable(status: number, { method, json, body }: RequestOptions): boolean {
	if (![301, 302, 303, 307, 308].includes(status)) return false;
	const isGet = (method ?? (json === undefined && body === undefined ? 'GET' : 'POST')) === 'GET';
	return isGet || ((status === 307 || status === 308) && body === undefined);
}

function isJson({ headers }: Answer): boolean {
	return /\bjson\b/i.test(headers['content-type'] ?? '') && !/ndjson/i.test(headers['content-type'] ?? '');
}

/** A JSON answer in place of a stream, handed on as one event. */
async function* wholeAnswer(answer: Answer, watchdog: Watchdog, explain: (error: unknown) => ServerError, close: () => void): AsyncGenerator<ServerSentEvent[]> {
	try {
		const decoder = new TextDecoder('utf-8');
		let text = '';
		for await (const bytes of answer.body) {
			watchdog.touch();
			text += decoder.decode(bytes, { stream: true });
		}
		yield [{ event: 'whole-answer', data: text + decoder.decode() }];
	} catch (error) {
		throw explain(error);
	} finally {
		close();
	}
}

async function readAnswer(answer: Answer): Promise<CallAnswer> {
	const decoder = new TextDecoder('utf-8');
	let text = '';
	let size = 0;
	for await (const bytes of answer.body) {
		size += bytes.byteLength;
		text += decoder.decode(bytes, { stream: true });
		if (answer.status >= 300 && size > MOST_ERROR_BODY) break;
	}
	answer.close();
	text += decoder.decode();
	return { status: answer.status, headers: answer.headers, text, json: parseJson(text), url: answer.url };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]])),
	);
}

/** Some proxies compress whatever the request says. */
function decompressed(body: AsyncIterable<Uint8Array>, encoding: string | undefined): AsyncIterable<Uint8Array> {
	const format = encoding === 'gzip' || encoding === 'x-gzip' ? 'gzip' : encoding === 'deflate' ? 'deflate' : undefined;
	if (format === undefined) return body;
	return ReadableStream.from(body).pipeThrough(new DecompressionStream(format)) as unknown as AsyncIterable<Uint8Array>;
}

function anySignal(...signals: Array<AbortSignal | undefined>): AbortSignal {
	const present = signals.filter((signal) => signal !== undefined);
	return present.length === 1 ? present[0]! : AbortSignal.any(present);
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
	signal.throwIfAborted();
	let wake = () => {};
	const aborted = new Promise<void>((resolve) => {
		wake = resolve;
		signal.addEventListener('abort', wake, { once: true });
	});
	await Promise.race([sleep(ms), aborted]);
	signal.removeEventListener('abort', wake);
	signal.throwIfAborted();
}
