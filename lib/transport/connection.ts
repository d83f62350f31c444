import { sleep } from 'n8n-workflow';

import { resolveBaseUrl, BaseUrlError, type ResolvedBaseUrl } from './base-url';
import { BodyReader } from './body-reader';
import { channelFor, type ServerChannel } from './dispatcher';
import type { ServerError } from './errors';
import { failure, httpFailure, mask, networkFailure, parseObject, secretsOf, type FailureContext } from './failure';
import { DEFAULT_LIMITS, Watchdog, type Limits } from './limits';
import { seconds } from './remedies';
import type { ServerSentEvent } from './sse';
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
	/** Milliseconds for making a connection, default 10 s. */
	connectLimitMs?: number;
	/** What is asked, where that is no model server: errors then advise about that. */
	service?: 'dify';
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
	/** Longest pause between two pieces of an upload, and before its answer. */
	idleMs?: number;
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
	/** The error for an answer that is no stream, where the server has error bodies of its own kind. Default: `refusal`. */
	refuse?: (answer: CallAnswer) => ServerError;
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

const CALL_LIMIT_MS = 15_000;
const MOST_REDIRECTS = 5;
const MOST_ERROR_BODY = 1024 * 1024;
const END_MARKER_MS = 3_000;
const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];
/** A pause is slept in pieces, so that a cancelled one leaves no long timer behind. */
const PAUSE_PIECE_MS = 250;

/** Which connections a request may use: those kept open, or one of its own. */
interface Way {
	dispatcher: Dispatcher;
	reset: boolean;
}

/** One server with one credential. Cheap to make: connections are shared behind it. */
export class Connection {
	readonly url: ResolvedBaseUrl;
	private readonly secrets: string[];
	private readonly scope: string;

	/** @throws {ServerError} of kind `invalidUrl` */
	constructor(private readonly settings: ConnectionSettings) {
		this.url = resolved(settings.baseUrl);
		const headers = settings.headers ?? {};
		this.secrets = secretsOf(headers);
		this.scope = JSON.stringify(headers);
	}

	/** Looked up for each request: a connection kept for long must not hold on to a channel that the cache has closed. */
	private get channel(): ServerChannel {
		const { ignoreSslIssues = false, egressFilter, connectLimitMs } = this.settings;
		return channelFor({ origin: this.url.origin, scope: this.scope, ignoreSslIssues, egressFilter, connectLimitMs });
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
		return { url, root: this.url.root, model, service: this.settings.service, secrets: this.secrets };
	}

	/**
	 * A short call. Answers of any status are returned; only a server that cannot be reached raises an error.
	 * A GET whose kept connection turns out to be closed is sent again once.
	 */
	async call(url: string, options: CallOptions = {}): Promise<CallAnswer> {
		const once = options.once ?? methodOf(options) !== 'GET';
		const { idleMs = 0 } = options;
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs, totalMs: options.timeoutMs ?? CALL_LIMIT_MS }, options.signal);
		if (idleMs > 0) watchdog.firstToken();
		const watched = idleMs > 0 ? { ...options, body: watchedBody(options.body, watchdog) } : options;
		const explain = (error: unknown) => this.explainCall(error, url, options, watchdog);
		const attempt = async (reuse: boolean) => {
			const { keepAlive, fresh } = this.channel;
			const answer = await this.send(url, watched, watchdog, reuse ? { dispatcher: keepAlive, reset: false } : { dispatcher: fresh, reset: true });
			return await this.read(answer, options, watchdog);
		};
		try {
			if (once) return await attempt(false);
			return await attempt(true).catch(async (error: unknown) => {
				const failed = explain(error);
				if (failed.kind !== 'closedBeforeAnswer') throw failed;
				return await attempt(false);
			});
		} catch (error) {
			throw explain(error);
		} finally {
			watchdog.stop();
		}
	}

	/** The limit of a call is the package's own: there is no option to raise. */
	private explainCall(error: unknown, url: string, options: CallOptions, watchdog: Watchdog): ServerError {
		const failed = this.explain(error, url, options, watchdog);
		if (failed.kind !== 'totalLimit') return failed;
		return failure('totalLimit', this.contextOf(url, options.model), {
			message: `No answer within ${seconds(watchdog.hitMs)}`,
			remedy: 'The server is busy or stuck, or something drops the packets. Try the same address with curl from the machine that runs n8n, and look at the log of the server.',
		});
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
			{ status: answer.status, contentType: answer.headers['content-type'], body: answer.text, location: redirectLocation(answer) },
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
		const { channel } = this;
		const leave = await this.enterQueue(channel, url, options);
		const watchdog = new Watchdog({ ...DEFAULT_LIMITS, ...options.limits }, options.signal);
		const end = () => {
			watchdog.stop();
			leave();
		};
		// Also where nobody reads the answer that is cut off here.
		watchdog.signal.addEventListener('abort', end, { once: true });
		try {
			const answer = await this.sendWhenReady(url, options, watchdog, { dispatcher: channel.fresh, reset: true });
			return this.eventStream(answer, options, watchdog, end);
		} catch (error) {
			end();
			throw this.explain(error, url, options, watchdog);
		}
	}

	private async enterQueue({ queue }: ServerChannel, url: string, options: StreamOptions): Promise<() => void> {
		try {
			return await queue.enter(this.settings.maxConcurrentRequests ?? 0, options.signal);
		} catch {
			throw failure('aborted', this.contextOf(url, options.model));
		}
	}

	private async sendWhenReady(url: string, options: StreamOptions, watchdog: Watchdog, way: Way): Promise<Answer> {
		const startedAt = performance.now();
		let wasLoading = false;
		for (let tries = 0, waits = 0; ; waits++) {
			const outcome = await this.trySend(url, options, watchdog, way);
			if (!('failed' in outcome)) return outcome;
			const { failed } = outcome;
			const reason = failed.kind === 'loading' || failed.kind === 'busy' || failed.kind === 'refused' ? failed.kind : undefined;
			if (reason === undefined) throw failed;
			const pause = BACK_OFF_MS[Math.min(waits, BACK_OFF_MS.length - 1)]!;
			if (reason === 'loading') {
				if (pause >= watchdog.firstTokenLeftMs) throw this.stillLoading(failed, options);
			} else if (tries++ >= (options.retries ?? 0)) {
				throw reason === 'refused' && wasLoading ? this.exitedWhileLoading(failed, options) : failed;
			}
			wasLoading = reason === 'loading';
			options.onWait?.(reason, performance.now() - startedAt);
			await pauseFor(pause, watchdog.signal);
		}
	}

	private async trySend(url: string, options: StreamOptions, watchdog: Watchdog, way: Way): Promise<Answer | { failed: ServerError }> {
		try {
			const answer = await this.send(url, options, watchdog, way);
			if (answer.status < 300) return answer;
			const refused = await this.read(answer, options, watchdog);
			return { failed: options.refuse?.(refused) ?? this.refusal(refused, options.model) };
		} catch (error) {
			return { failed: this.explain(error, url, options, watchdog) };
		}
	}

	/** A server that runs out of memory while it loads just exits (contract llama-server 9.2). */
	private exitedWhileLoading(failed: ServerError, options: StreamOptions): ServerError {
		return failure('modelFailedToLoad', this.contextOf(failed.url ?? '', options.model), {
			message: 'The server exited while it was loading the model',
			facts: failed.facts,
		});
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
		const reader = new BodyReader(answer.headers['content-type']);
		const explain = (error: unknown) => this.explain(error, answer.url, options, watchdog, true);
		const context = this.contextOf(answer.url, options.model);
		const close = () => {
			end();
			answer.close();
		};
		const refusePage = (page: string) =>
			options.refuse?.({ ...answer, text: page, json: undefined }) ?? httpFailure({ status: answer.status, contentType: 'text/html', body: page }, context);
		async function* batches(): AsyncGenerator<ServerSentEvent[]> {
			try {
				for await (const bytes of answer.body) {
					watchdog.touch();
					const events = reader.push(bytes);
					if (events.length === 0) continue;
					watchdog.progress();
					yield events;
				}
				const last = reader.end();
				if (last.length > 0) yield last;
				if (reader.page !== undefined) throw refusePage(reader.page);
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
			batches: batches(),
			firstToken: () => watchdog.firstToken(),
			finishing: () => watchdog.finishing(END_MARKER_MS),
			strayLines: () => reader.strayLines,
			close,
		};
	}

	/** One request, following redirects. A redirect to another origin loses every header of the credential. */
	private async send(url: string, options: RequestOptions, watchdog: Watchdog, way: Way): Promise<Answer> {
		let target = url;
		for (let redirects = 0; ; redirects++) {
			const outcome = await this.sendOnce(target, options, watchdog, way);
			if ('failed' in outcome) throw outcome.failed;
			const next = redirects < MOST_REDIRECTS ? redirectTarget(outcome, options) : undefined;
			if (next === undefined) return outcome;
			outcome.close();
			this.allowRedirect(target, next);
			target = next;
		}
	}

	private allowRedirect(from: string, to: string): void {
		try {
			this.settings.egressFilter?.validateRedirectSync(to);
		} catch (error) {
			throw networkFailure(error, { ...this.contextOf(from), url: to });
		}
	}

	private async sendOnce(url: string, options: RequestOptions, watchdog: Watchdog, way: Way): Promise<Answer | { failed: ServerError }> {
		try {
			const { signal } = watchdog;
			const allowed = await unlessAborted(signal, async () => await this.settings.egressFilter?.validateUrl(url));
			if (allowed?.ok === false) return { failed: this.notAllowed(url, allowed.error) };
			const { statusCode, headers, body } = await unlessAborted(signal, async () => await request(url, this.requestOptions(url, options, signal, way)));
			// An aborted or unread body emits an error that nobody waits for; it is reported where the body is read.
			body.on('error', () => {});
			const answer = { status: statusCode, headers: flatten(headers), url, close: () => void body.destroy() };
			const plain = decompressed(body, answer.headers['content-encoding']);
			if (plain !== undefined) return { ...answer, body: plain };
			answer.close();
			return { failed: this.unreadable(answer) };
		} catch (error) {
			return { failed: this.explain(error, url, options, watchdog) };
		}
	}

	/** Some proxies compress whatever the request says. */
	private unreadable({ url, headers, status }: Omit<Answer, 'body'>): ServerError {
		return failure('invalidAnswer', this.contextOf(url), {
			status,
			message: `A proxy compresses the answer in a form that cannot be read here (${headers['content-encoding']})`,
			remedy: 'Turn off compression for this server in the proxy: it holds back streamed answers anyway.',
		});
	}

	private notAllowed(url: string, error: Error | undefined): ServerError {
		return error === undefined || error.name.startsWith('Ssrf')
			? failure('blockedByPolicy', this.contextOf(url), { facts: { reason: error?.message } })
			: networkFailure(error, this.contextOf(url));
	}

	private requestOptions(url: string, options: RequestOptions, signal: AbortSignal, way: Way) {
		const content = options.body?.content ?? (options.json === undefined ? undefined : wellFormedJson(options.json));
		const type = options.body?.contentType ?? (options.json === undefined ? undefined : 'application/json');
		const sameOrigin = new URL(url).origin === this.url.origin;
		return {
			...way,
			method: methodOf(options),
			signal,
			headersTimeout: 0,
			bodyTimeout: 0,
			headers: {
				accept: 'application/json, text/event-stream',
				// A proxy that compresses a stream holds it back until its buffer is full.
				'accept-encoding': 'identity',
				...(type === undefined ? {} : { 'content-type': type }),
				...(options.body?.length === undefined ? {} : { 'content-length': String(options.body.length) }),
				...options.headers,
				...(sameOrigin ? this.settings.headers : {}),
			},
			...(content === undefined ? {} : { body: content as Dispatcher.DispatchOptions['body'] }),
		};
	}

	private async read(answer: Answer, options: RequestOptions, watchdog: Watchdog): Promise<CallAnswer> {
		try {
			return await readAnswer(answer);
		} catch (error) {
			throw this.explain(error, answer.url, options, watchdog, true);
		}
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

/** Half a surrogate pair, as a text that was cut by length has it, is refused by llama-server as a broken body. */
function wellFormedJson(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' && !inner.isWellFormed() ? inner.toWellFormed() : inner));
}

function resolved(baseUrl: string): ResolvedBaseUrl {
	try {
		return resolveBaseUrl(baseUrl);
	} catch (error) {
		throw failure('invalidUrl', {}, error instanceof BaseUrlError ? { message: error.message, facts: { part: error.part } } : {});
	}
}

/** An upload whose pieces are signs of life. */
function watchedBody(body: RequestOptions['body'], watchdog: Watchdog): RequestOptions['body'] {
	if (body === undefined || body.content instanceof Uint8Array) return body;
	const { content } = body;
	async function* pieces() {
		for await (const piece of content) {
			watchdog.touch();
			yield piece;
		}
		watchdog.touch();
	}
	return { ...body, content: pieces() };
}

/**
 * Gives up waiting when the signal aborts: undici looks at it only when its connection is made, which takes up to 10 s
 * where packets are dropped, and the egress filter's look-up of a name does not look at it at all.
 */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
	signal.throwIfAborted();
	let onAbort = () => {};
	const aborted = new Promise<never>((_resolve, reject) => {
		onAbort = () => reject(signal.reason as Error);
		signal.addEventListener('abort', onAbort, { once: true });
	});
	try {
		return await Promise.race([work(), aborted]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}

function methodOf({ method, json, body }: RequestOptions) {
	return method ?? (json === undefined && body === undefined ? 'GET' : 'POST');
}

/** Where to send the request again, where that is right: a POST only if the status says that the method stays the same. */
function redirectTarget({ status, headers, url }: Answer, options: RequestOptions): string | undefined {
	const target = [301, 302, 303, 307, 308].includes(status) ? redirectLocation({ headers, url }) : undefined;
	if (target === undefined || !/^https?:/.test(target) || !URL.canParse(target)) return undefined;
	// An upload is read once and cannot be sent again.
	const repeatable = methodOf(options) === 'GET' || ((status === 307 || status === 308) && options.body === undefined);
	return repeatable ? target : undefined;
}

function redirectLocation({ headers: { location }, url }: Pick<Answer, 'headers' | 'url'>): string | undefined {
	return location !== undefined && URL.canParse(location, url) ? new URL(location, url).href : location;
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

/** The body without compression; undefined where the way it is compressed is unknown. */
function decompressed(body: AsyncIterable<Uint8Array>, encoding = ''): AsyncIterable<Uint8Array> | undefined {
	if (encoding === '' || encoding === 'identity') return body;
	const format = encoding === 'gzip' || encoding === 'x-gzip' ? 'gzip' : encoding === 'deflate' ? 'deflate' : undefined;
	return format && (ReadableStream.from(body).pipeThrough(new DecompressionStream(format)) as unknown as AsyncIterable<Uint8Array>);
}

/** Waits, and ends early with the reason of the signal when that aborts. */
export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
	signal?.throwIfAborted();
	let wake = () => {};
	const aborted = new Promise<void>((resolve) => {
		wake = resolve;
		signal?.addEventListener('abort', wake, { once: true });
	});
	for (let left = ms; left > 0; left -= PAUSE_PIECE_MS) {
		await Promise.race([sleep(Math.min(left, PAUSE_PIECE_MS)), aborted]);
		signal?.throwIfAborted();
	}
	signal?.removeEventListener('abort', wake);
}
