import { decompressed, flatten, methodOf, readAnswer, redirectLocation, redirectTarget, type Answer } from './answer';
import { resolveBaseUrl, BaseUrlError, type ResolvedBaseUrl } from './base-url';
import { BodyReader } from './body-reader';
import { channelFor, type ServerChannel } from './dispatcher';
import type { ServerError } from './errors';
import { failure, httpFailure, mask, networkFailure, parseObject, secretsOf, type FailureContext } from './failure';
import { DEFAULT_LIMITS, Watchdog } from './limits';
import { seconds } from './remedies';
import { watchedBody, wellFormedJson } from './request-body';
import type { ServerSentEvent } from './sse';
import type { CallAnswer, CallOptions, ConnectionSettings, EventStream, RequestOptions, StreamOptions } from './types';
import { request, type Dispatcher } from './vendor';
import { backOffMs, pauseFor, unlessAborted } from './waiting';

const CALL_LIMIT_MS = 15_000;
const MOST_REDIRECTS = 5;
const END_MARKER_MS = 3_000;
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

	/** Whether the key is sent there: to no address but that of the base URL, whatever the server redirects to. */
	isOwn(url: string): boolean {
		return new URL(url).origin === this.url.origin;
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
		const { status, url, text } = answer;
		// The key was not sent there, so that it is missing says nothing about it.
		if (status === 401 && !this.isOwn(url)) {
			return failure('redirect', this.contextOf(this.url.api, model), { status, about: { location: url } });
		}
		return httpFailure(
			{ status, contentType: answer.headers['content-type'], body: text, location: redirectLocation(answer) },
			this.contextOf(url, model),
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
			const pause = backOffMs(reason, waits);
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
				...(this.isOwn(url) ? this.settings.headers : {}),
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

function resolved(baseUrl: string): ResolvedBaseUrl {
	try {
		return resolveBaseUrl(baseUrl);
	} catch (error) {
		throw failure('invalidUrl', {}, error instanceof BaseUrlError ? { message: error.message, facts: { part: error.part } } : {});
	}
}
