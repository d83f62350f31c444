import {
	flatten,
	isPlainGet,
	MAX_ANSWER_BYTES,
	methodOf,
	readAnswer,
	redirectTarget,
} from './answer';
import { decompressed } from './compression';
import type { ServerChannel } from './dispatcher';
import type { ServerError } from '../errors/server-error';
import { networkFailure } from '../errors/network-failure';
import { exchange } from './exchange';
import type { Explainer } from './explain';
import type { Watchdog } from './limits';
import { megabytes } from './too-long';
import { jsonBody } from './request-body';
import type {
	UnreadAnswer,
	CallAnswer,
	CallOptions,
	ConnectionSettings,
	RequestOptions,
	StreamOptions,
} from './types';
import type { Dispatcher } from '../vendor';
import { optional } from '../values';
import { raceAgainstAbort } from './waiting';

const MAX_REDIRECTS = 5;

/** The connection for a request: a pooled one, or a new one (`reset`). */
export interface ConnectionChoice {
	dispatcher: Dispatcher;
	reset: boolean;
}

export function pooledConnection({ keepAlive }: ServerChannel): ConnectionChoice {
	return { dispatcher: keepAlive, reset: false };
}

export function newConnection({ fresh }: ServerChannel): ConnectionChoice {
	return { dispatcher: fresh, reset: true };
}

/**
 * Sends requests with the credential's headers, and follows redirects: to other origins without these headers, and only
 * requests without content.
 */
export class Sender {
	constructor(
		private readonly settings: Pick<
			ConnectionSettings,
			'headers' | 'traceHeaders' | 'egressFilter'
		>,
		private readonly explainer: Explainer,
	) {}

	/**
	 * Sends a request and follows redirects.
	 *
	 * @throws {ServerError} if there is no answer
	 */
	async send(
		url: string,
		options: RequestOptions,
		watchdog: Watchdog,
		choice: ConnectionChoice,
	): Promise<UnreadAnswer> {
		let target = url;
		const redirects: number[] = [];
		for (;;) {
			const outcome = await this.sendOnce(target, options, watchdog, choice);
			if ('failed' in outcome) throw outcome.failed;
			const next = this.nextHop(outcome, options, redirects.length);
			if (next === undefined) return this.finalAnswer(outcome, redirects);
			redirects.push(outcome.status);
			outcome.close();
			this.allowRedirect(target, next, options);
			target = next;
		}
	}

	/** The same, but a status of 300 or above is a failure. */
	async trySend(
		url: string,
		options: StreamOptions,
		watchdog: Watchdog,
		choice: ConnectionChoice,
	): Promise<UnreadAnswer | { failed: ServerError }> {
		try {
			const answer = await this.send(url, options, watchdog, choice);
			if (answer.status < 300) return answer;
			const refused = await this.read(answer, options, watchdog);
			return {
				failed: options.refuse?.(refused) ?? this.explainer.refusal(refused, options.about),
			};
		} catch (error) {
			return { failed: this.explainer.explain(error, url, options, watchdog) };
		}
	}

	/** Reads a whole answer. @throws {ServerError} */
	async read(
		answer: UnreadAnswer,
		{
			about,
			signal,
			maxBytes = MAX_ANSWER_BYTES,
		}: Pick<CallOptions, 'signal' | 'about' | 'maxBytes'>,
		watchdog: Watchdog,
	): Promise<CallAnswer> {
		const { url } = answer;
		const read = await readAnswer(answer, {
			maxBytes,
			signal: watchdog.signal,
			maskKeys: (text) => this.explainer.maskAnswer(text),
			explain: (error) => this.explainer.explainReading(error, url, { about, signal }, watchdog),
		});
		if (read === undefined) throw this.explainer.endless(megabytes(maxBytes), url, about);
		return read;
	}

	private finalAnswer(answer: UnreadAnswer, redirects: number[]): UnreadAnswer {
		const headers = this.explainer.shownHeaders(answer.headers);
		if (redirects.length === 0) return { ...answer, headers };
		return { ...answer, headers, redirects, url: this.explainer.shownUrl(answer.url) };
	}

	/** Where to go on after a redirect; undefined if it is not followed. */
	private nextHop(answer: UnreadAnswer, options: RequestOptions, hops: number): string | undefined {
		if (hops >= MAX_REDIRECTS) return undefined;
		const target = redirectTarget(answer, options);
		if (target === undefined || this.explainer.isOwn(target)) return target;
		// What users wrote is for the server of the credential only. Some proxies put the received headers into the URL of
		// their login page, which another host must not see.
		return isPlainGet(options) && !this.explainer.holdsSecret(target) ? target : undefined;
	}

	/** @throws {ServerError} for a redirect that the caller or n8n's egress filter refuses */
	private allowRedirect(from: string, to: string, { refuseRedirect }: RequestOptions): void {
		const refused = refuseRedirect?.(to);
		if (refused !== undefined) throw refused;
		try {
			this.settings.egressFilter?.validateRedirectSync(to);
		} catch (error) {
			throw networkFailure(error, { ...this.explainer.contextOf(from), url: to });
		}
	}

	private async sendOnce(
		url: string,
		options: RequestOptions,
		watchdog: Watchdog,
		choice: ConnectionChoice,
	): Promise<UnreadAnswer | { failed: ServerError }> {
		try {
			const { signal } = watchdog;
			const { egressFilter } = this.settings;
			const allowed =
				egressFilter &&
				(await raceAgainstAbort(signal, async () => await egressFilter.validateUrl(url)));
			if (allowed?.ok === false) return { failed: this.explainer.notAllowed(url, allowed.error) };
			const exchangeOptions = await this.exchangeOptions(url, options, signal, choice);
			const { statusCode, headers, body } = await exchange(url, exchangeOptions);
			const answer = {
				status: statusCode,
				headers: flatten(headers),
				url,
				close: () => body.destroy(),
			};
			const plain = decompressed(body, answer.headers['content-encoding']);
			if (plain !== undefined) return { ...answer, body: plain };
			answer.close();
			return { failed: this.explainer.unreadable(answer) };
		} catch (error) {
			return { failed: this.explainer.explain(error, url, options, watchdog) };
		}
	}

	private async exchangeOptions(
		url: string,
		options: RequestOptions,
		signal: AbortSignal,
		choice: ConnectionChoice,
	) {
		const content = await contentOf(options);
		const { traceHeaders, headers } = this.settings;
		const own = { ...traceHeaders, ...headers };
		return {
			...choice,
			method: methodOf(options),
			signal,
			pace: options.pace,
			headers: {
				accept: acceptOf(options.framing),
				// Proxies that compress a stream buffer it.
				'accept-encoding': 'identity',
				...content?.headers,
				...options.headers,
				...(this.explainer.isOwn(url) ? own : {}),
			},
			...optional({ body: content?.body }),
		};
	}
}

function acceptOf(framing: RequestOptions['framing']): string {
	const stream = framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream';
	return `application/json, ${stream}`;
}

interface Content {
	body: Dispatcher.DispatchOptions['body'];
	headers: Record<string, string>;
}

async function contentOf({ body, json }: RequestOptions): Promise<Content | undefined> {
	if (body !== undefined) return uploadOf(body);
	if (json === undefined) return undefined;
	const value: unknown = typeof json === 'function' ? json() : json;
	return { body: await jsonBody(value), headers: { 'content-type': 'application/json' } };
}

function uploadOf({ content, contentType, length }: NonNullable<RequestOptions['body']>): Content {
	const headers: Record<string, string> = { 'content-type': contentType };
	if (length !== undefined) headers['content-length'] = String(length);
	// undici takes any async iterable, which its types do not say.
	return { body: content as Content['body'], headers };
}
