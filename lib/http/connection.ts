import { methodOf, readAnswer, redirectLocation, type Answer } from './answer';
import { resolveBaseUrl, BaseUrlError, type ResolvedBaseUrl } from '../servers/base-url';
import { channelFor, type ServerChannel } from './dispatcher';
import { ServerError } from '../errors/server-error';
import { eventStream } from './event-stream';
import { failure, type FailureContext } from '../errors/failure';
import { httpFailure } from '../errors/http-failure';
import { parseObject } from '../values';
import { keysOf, mask, secretsOf } from '../errors/secrets';
import { DEFAULT_LIMITS, Watchdog } from './limits';
import { seconds } from '../errors/remedies';
import { watchedBody } from './request-body';
import { Sender, type Way } from './sender';
import type { CallAnswer, CallOptions, ConnectionSettings, EventStream, StreamOptions } from './types';
import { backOffMs, pauseFor } from './waiting';

const CALL_LIMIT_MS = 15_000;

/** One server with one credential. Cheap to make: connections are shared behind it. */
export class Connection {
	readonly url: ResolvedBaseUrl;
	private readonly secrets: string[];
	private readonly keys: string[];
	private readonly scope: string;
	private readonly sender: Sender;

	/** @throws {ServerError} of kind `invalidUrl` */
	constructor(private readonly settings: ConnectionSettings) {
		this.url = resolved(settings.baseUrl);
		const headers = settings.headers ?? {};
		this.secrets = secretsOf(headers);
		this.keys = keysOf(headers);
		this.scope = JSON.stringify(headers);
		this.sender = new Sender(settings, this.url.origin, (url, model) => this.contextOf(url, model));
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

	/** Takes the credential's keys, and nothing else that a header may hold, out of an answer. */
	hide(text: string): string {
		return mask(text, this.keys) ?? '';
	}

	/** Whether the key is sent there. */
	isOwn(url: string): boolean {
		return this.sender.isOwn(url);
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
		const watchdog = new Watchdog(
			{ firstTokenMs: 0, idleMs, totalMs: options.timeoutMs ?? CALL_LIMIT_MS },
			options.signal,
		);
		if (idleMs > 0) watchdog.firstToken();
		const watched = idleMs > 0 ? { ...options, body: watchedBody(options.body, watchdog) } : options;
		const explain = (error: unknown) => this.explainCall(error, url, options, watchdog);
		const attempt = async (reuse: boolean) => {
			const { keepAlive, fresh } = this.channel;
			const answer = await this.sender.send(
				url,
				watched,
				watchdog,
				reuse ? { dispatcher: keepAlive, reset: false } : { dispatcher: fresh, reset: true },
			);
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
		const failed = this.sender.explain(error, url, options, watchdog);
		if (failed.kind !== 'totalLimit') return failed;
		if (error instanceof ServerError && error.facts.answerBegan === true) {
			return failure('totalLimit', this.contextOf(url, options.model), {
				message: `The answer began, but did not end within ${seconds(watchdog.hitMs)}`,
				remedy:
					'The server or the network is very slow, or what answers is no API but an endless stream, for example of a web cam: check the Base URL.',
				facts: { answerBegan: true },
			});
		}
		return failure('totalLimit', this.contextOf(url, options.model), {
			message: `No answer within ${seconds(watchdog.hitMs)}`,
			remedy:
				'The server is busy or stuck, or something drops the packets. Try the same address with curl from the machine that runs n8n, and look at the log of the server.',
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
		// The forward proxy of the environment, which does not say so in its status.
		const squid = answer.headers['x-squid-error'];
		if (squid !== undefined) return failure('proxy', this.contextOf(url, model), { status, about: { code: squid } });
		return httpFailure(
			{
				status,
				contentType: answer.headers['content-type'],
				body: text,
				location: redirectLocation(answer),
				challenge: answer.headers['www-authenticate'],
			},
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
			const context = this.contextOf(answer.url, options.model);
			return eventStream(answer, {
				watchdog,
				end,
				onBytes: options.onBytes,
				explain: (error) => this.sender.explain(error, answer.url, options, watchdog, true),
				refusePage: (page) =>
					options.refuse?.({ ...answer, text: page, json: undefined }) ??
					httpFailure({ status: answer.status, contentType: 'text/html', body: page }, context),
			});
		} catch (error) {
			end();
			throw this.sender.explain(error, url, options, watchdog);
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
			const reason =
				failed.kind === 'loading' || failed.kind === 'busy' || failed.kind === 'refused' ? failed.kind : undefined;
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

	private async trySend(
		url: string,
		options: StreamOptions,
		watchdog: Watchdog,
		way: Way,
	): Promise<Answer | { failed: ServerError }> {
		try {
			const answer = await this.sender.send(url, options, watchdog, way);
			if (answer.status < 300) return answer;
			const refused = await this.read(answer, options, watchdog);
			return { failed: options.refuse?.(refused) ?? this.refusal(refused, options.model) };
		} catch (error) {
			return { failed: this.sender.explain(error, url, options, watchdog) };
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

	private async read(
		answer: Answer,
		options: Pick<CallOptions, 'signal' | 'model' | 'mostBytes'>,
		watchdog: Watchdog,
	): Promise<CallAnswer> {
		try {
			return (await readAnswer(answer, options.mostBytes)) ?? raise(this.endless(answer, options.model));
		} catch (error) {
			// The limit of a call may end it before or after its answer began.
			throw this.sender
				.explain(error, answer.url, options, watchdog, true)
				.withFacts(watchdog.hit === 'totalLimit' ? { answerBegan: true } : {});
		}
	}

	private endless({ url, status }: Answer, model?: string): ServerError {
		return failure('invalidAnswer', this.contextOf(url, model), {
			status,
			message: 'The answer is far too long for a model server',
			remedy: 'Check that the Base URL leads to the API: a web cam, a download or a log may be what answers there.',
		});
	}
}

function raise(error: Error): never {
	throw error;
}

function resolved(baseUrl: string): ResolvedBaseUrl {
	try {
		return resolveBaseUrl(baseUrl);
	} catch (error) {
		throw failure(
			'invalidUrl',
			{},
			error instanceof BaseUrlError ? { message: error.message, facts: { part: error.part } } : {},
		);
	}
}
