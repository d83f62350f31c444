import { flatten, methodOf, readAnswer, redirectTarget } from './answer';
import { decompressed } from './compression';
import type { ServerError } from '../errors/server-error';
import { networkFailure } from '../errors/network-failure';
import { exchange } from './exchange';
import type { Explainer } from './explain';
import type { Watchdog } from './limits';
import { wellFormedJson } from './request-body';
import type {
	Answer,
	CallAnswer,
	CallOptions,
	ConnectionSettings,
	RequestOptions,
	StreamOptions,
} from './types';
import type { Dispatcher } from '../vendor';
import { raceAgainstAbort } from './waiting';

const MAX_REDIRECTS = 5;

/** The connections for a request: pooled ones, or a new one (`reset`). */
export interface ConnectionChoice {
	dispatcher: Dispatcher;
	reset: boolean;
}

/** Sends requests with the credential's headers, and follows redirects, without these headers to other origins. */
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
		way: ConnectionChoice,
	): Promise<Answer> {
		let target = url;
		const redirects: number[] = [];
		for (;;) {
			const outcome = await this.sendOnce(target, options, watchdog, way);
			if ('failed' in outcome) throw outcome.failed;
			const next = redirects.length < MAX_REDIRECTS ? redirectTarget(outcome, options) : undefined;
			if (next === undefined || this.wouldLeakSecret(next)) {
				const answer = { ...outcome, headers: this.explainer.shownHeaders(outcome.headers) };
				return redirects.length === 0
					? answer
					: { ...answer, redirects, url: this.explainer.shownUrl(outcome.url) };
			}
			redirects.push(outcome.status);
			outcome.close();
			this.allowRedirect(target, next);
			target = next;
		}
	}

	/** The same, but a status of 300 or above is a failure. */
	async trySend(
		url: string,
		options: StreamOptions,
		watchdog: Watchdog,
		way: ConnectionChoice,
	): Promise<Answer | { failed: ServerError }> {
		try {
			const answer = await this.send(url, options, watchdog, way);
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
		answer: Answer,
		{ about, signal, maxBytes }: Pick<CallOptions, 'signal' | 'about' | 'maxBytes'>,
		watchdog: Watchdog,
	): Promise<CallAnswer> {
		const { url, status } = answer;
		const read = await readAnswer(answer, {
			maxBytes,
			signal: watchdog.signal,
			maskKeys: (text) => this.explainer.maskKeys(text),
			explain: (error) => this.explainer.explainReading(error, url, { about, signal }, watchdog),
		});
		if (read === undefined) throw this.explainer.endless(url, about, status);
		return read;
	}

	/** Some proxies put the received headers into the URL of their login page, which another host must not see. */
	private wouldLeakSecret(target: string): boolean {
		return !this.explainer.isOwn(target) && this.explainer.holdsSecret(target);
	}

	private allowRedirect(from: string, to: string): void {
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
		way: ConnectionChoice,
	): Promise<Answer | { failed: ServerError }> {
		try {
			const { signal } = watchdog;
			const { egressFilter } = this.settings;
			const allowed =
				egressFilter &&
				(await raceAgainstAbort(signal, async () => await egressFilter.validateUrl(url)));
			if (allowed?.ok === false) return { failed: this.explainer.notAllowed(url, allowed.error) };
			const asked = this.exchangeOptions(url, options, signal, way);
			const { statusCode, headers, body } = await exchange(url, asked);
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

	private exchangeOptions(
		url: string,
		options: RequestOptions,
		signal: AbortSignal,
		way: ConnectionChoice,
	) {
		const content =
			options.body?.content ??
			(options.json === undefined ? undefined : wellFormedJson(options.json));
		const type =
			options.body?.contentType ?? (options.json === undefined ? undefined : 'application/json');
		return {
			...way,
			method: methodOf(options),
			signal,
			pace: options.pace,
			headers: {
				accept: `application/json, ${options.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream'}`,
				// Proxies that compress a stream buffer it.
				'accept-encoding': 'identity',
				...(type === undefined ? {} : { 'content-type': type }),
				...(options.body?.length === undefined
					? {}
					: { 'content-length': String(options.body.length) }),
				...options.headers,
				...(this.explainer.isOwn(url)
					? { ...this.settings.traceHeaders, ...this.settings.headers }
					: {}),
			},
			...(content === undefined ? {} : { body: content as Dispatcher.DispatchOptions['body'] }),
		};
	}
}
