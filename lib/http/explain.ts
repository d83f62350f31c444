import { redirectLocation } from './answer';
import { proxyHeaders } from './proxy-secrets';
import { BodyTooLongError, FileTooLargeError, megabytes } from './too-long';
import { failure, type FailureContext, type FailureWords } from '../errors/failure';
import { optional, shortened } from '../values';
import { failureInBody, httpFailure, isRefusal, statusInBody } from '../errors/http-failure';
import { networkFailure } from '../errors/network-failure';
import { seconds } from '../errors/remedies';
import { certainKeysOf, mask, maskedStart, maskSteps, secretsOf } from '../errors/secrets';
import { ServerError } from '../errors/server-error';
import type { Watchdog } from './limits';
import { withRetryAfter } from './retry-after';
import type { CallAnswer, ConnectionSettings, ErrorContext, RequestOptions } from './types';
import type { FailureKind } from '../errors/kinds';

const LIMIT_WORDS = {
	firstTokenLimit: 'first-token limit',
	idleLimit: 'idle limit',
	totalLimit: 'total limit',
};

/** The part of a request that its errors need. */
type Asked = Pick<RequestOptions, 'signal' | 'about'>;

/** Turns failures of one connection into `ServerError`s. It knows the credential's secrets, which no error may show. */
export class Explainer {
	private readonly secrets: string[];
	private readonly keys: string[];

	constructor(protected readonly settings: ConnectionSettings) {
		const headers = { ...settings.headers, ...settings.keysElsewhere, ...proxyHeaders() };
		this.secrets = secretsOf(headers);
		this.keys = certainKeysOf(headers);
	}

	/** Masks the credential's key and header values in a text. */
	mask(text: string): string {
		return mask(text, this.secrets);
	}

	/** The beginning of a text, masked in the same way. */
	maskStart(text: string, length: number): string {
		return maskedStart(text, length, this.secrets);
	}

	/** Masks only the credential's keys, for the text of answers, in steps between which n8n can answer others. */
	maskAnswer(text: string): Generator<void, string> {
		return maskSteps(text, this.keys);
	}

	/** The headers of an answer, masked. */
	shownHeaders(headers: Record<string, string>): Record<string, string> {
		if (this.secrets.length === 0) return headers;
		return Object.fromEntries(
			Object.entries(headers).map(([name, value]) => [name, this.mask(value)]),
		);
	}

	/** The target of a redirect, masked, and without a user name, which is not sent either. */
	shownUrl(url: string): string {
		const { origin, pathname, search, hash } = new URL(url);
		return origin + this.mask(pathname + search + hash);
	}

	/** Whether a URL contains a key or the value of a header: some proxies put them into the URL of their login page. */
	holdsSecret(url: string): boolean {
		return this.mask(url) !== url;
	}

	/** Whether the key may be sent to a URL: only to the origin of the base URL, also after redirects. */
	isOwn(url: string): boolean {
		const { origin } = this.settings.address;
		return url.startsWith(`${origin}/`) || new URL(url).origin === origin;
	}

	/** The context of errors about a URL. */
	contextOf(url: string, about: ErrorContext = {}): FailureContext {
		const { remedyFor } = this.settings;
		return {
			root: this.settings.address.root,
			typed: this.settings.address.typed,
			...this.settings.about,
			...about,
			url,
			secrets: this.secrets,
			remedyFor: (kind) => remedyFor?.(kind, about.model),
		};
	}

	/** A failure of this server: of its API, unless another URL is named. */
	failure(
		kind: FailureKind,
		{
			url = this.settings.address.api,
			model,
			...words
		}: FailureWords & { url?: string; model?: string } = {},
	): ServerError {
		return failure(kind, this.contextOf(url, optional({ model })), words);
	}

	/** Classifies an error: cancelled, a time limit, or the network. `started`: the answer had begun. */
	explain(
		error: unknown,
		url: string,
		{ signal, about }: Asked,
		watchdog: Watchdog,
		started = false,
	): ServerError {
		const context = this.contextOf(url, about);
		if (signal?.aborted) return failure('aborted', context);
		if (watchdog.hit !== undefined)
			return failure(watchdog.hit, context, { about: { limitMs: watchdog.hitMs } });
		if (error instanceof BodyTooLongError) return this.endless(error.bound, url, about);
		if (error instanceof FileTooLargeError) return this.tooLarge(error, context);
		return networkFailure(error, context, started);
	}

	/** The error when a request was cancelled, or reached a limit, while it waited in the queue. */
	queued(url: string, { signal, about }: Asked, watchdog: Watchdog): ServerError {
		const { maxConcurrentRequests, knownSlots } = this.settings;
		const context = this.contextOf(url, about);
		if (signal?.aborted || watchdog.hit === undefined) return failure('aborted', context);
		return failure(watchdog.hit, context, {
			message: `The request waited in n8n for a free place until its ${LIMIT_WORDS[watchdog.hit]} of ${seconds(watchdog.hitMs)}, and was not sent`,
			remedy: maxConcurrentRequests ? noPlaceOf(maxConcurrentRequests) : noSlotOf(knownSlots?.()),
			facts: { queued: true },
		});
	}

	/** The same for a short call, whose time limit is fixed: there is no option to raise. */
	explainCall(error: unknown, url: string, options: Asked, watchdog: Watchdog): ServerError {
		const failed = this.explain(error, url, options, watchdog);
		if (failed.kind !== 'totalLimit') return failed;
		if (error instanceof ServerError && error.facts.answerBegan === true)
			return failure('totalLimit', this.contextOf(url, options.about), {
				message: `The answer began, but did not end within ${seconds(watchdog.hitMs)}`,
				remedy:
					'The server or the network is very slow, or what answers is not an API but an endless stream, for example of a web cam: check the Base URL.',
				facts: { answerBegan: true },
			});
		return failure('totalLimit', this.contextOf(url, options.about), {
			message: `No answer within ${seconds(watchdog.hitMs)}`,
			remedy:
				'The server is busy or stuck, or something drops the packets. Try the same address with curl from the machine that runs n8n, and look at the log of the server.',
		});
	}

	/** The same for an error while an answer was read. */
	explainReading(error: unknown, url: string, asked: Asked, watchdog: Watchdog): ServerError {
		// Tells `explainCall` that the answer had begun.
		return this.explain(error, url, asked, watchdog, true).withFacts(
			watchdog.hit === 'totalLimit' ? { answerBegan: true } : {},
		);
	}

	/** The error for an answer that is a refusal. */
	refusal(answer: CallAnswer, about?: ErrorContext): ServerError {
		const { status, url, text } = answer;
		// The key was not sent to that origin, so it may still be right.
		if (status === 401 && !this.isOwn(url)) {
			const context = this.contextOf(this.settings.address.api, about);
			return failure('redirect', context, { status, about: { location: url } });
		}
		// From the HTTP proxy of the environment, which the status does not tell.
		const squid = answer.headers['x-squid-error'];
		if (squid !== undefined)
			return failure('proxy', this.contextOf(url, about), { status, about: { code: squid } });
		const failed = httpFailure(
			{
				...(status < 300 && isRefusal(answer) ? statusInBody(text) : { status }),
				contentType: answer.headers['content-type'],
				body: text,
				location: redirectLocation(answer),
				challenge: answer.headers['www-authenticate'],
				isRelayed: 'x-oneapi-request-id' in answer.headers,
				// By header names, since a key may be a short word, which would not count as a secret.
				keyMissing: !Object.keys(this.settings.headers ?? {}).some((name) =>
					/auth|key|token/i.test(name),
				),
			},
			this.contextOf(url, about),
		);
		return withRetryAfter(failed, answer.headers['retry-after']);
	}

	/** The error in a body or event that came with a success status. */
	errorInBody(body: string, url: string, about?: ErrorContext): ServerError {
		return failureInBody(body, this.contextOf(url, about));
	}

	/** The error for a web page in place of a stream. */
	page(status: number, page: string, url: string, about?: ErrorContext): ServerError {
		return httpFailure(
			{ status, contentType: 'text/html', body: page },
			this.contextOf(url, about),
		);
	}

	/** The error for an answer that would fill n8n's memory. Without a status: it says nothing about what was sent. */
	endless(bound: string, url: string, about?: ErrorContext): ServerError {
		return failure('invalidAnswer', this.contextOf(url, about), {
			message: `The answer has more than ${bound}, so it was not read further`,
			remedy:
				'Check that the Base URL leads to the API: a web cam, a download or a log may be what answers there.',
		});
	}

	private tooLarge({ maxBytes }: FileTooLargeError, context: FailureContext): ServerError {
		const limit = megabytes(maxBytes);
		return failure('invalidAnswer', context, {
			message: `The file is larger than ${limit}`,
			meaning: `The file is larger than ${limit}, so it was not read further, and nothing of it is kept`,
			remedy:
				'Check that the address leads to a file: an endless stream may be what answers there.',
		});
	}

	/** The error for unsupported compression: some proxies ignore `accept-encoding`. */
	unreadable({
		url,
		headers,
		status,
	}: Pick<CallAnswer, 'url' | 'headers' | 'status'>): ServerError {
		return failure('invalidAnswer', this.contextOf(url), {
			status,
			message: `A proxy compresses the answer in a form that cannot be read here (${shortened(headers['content-encoding'] ?? '', 60)})`,
			remedy:
				'Turn off compression for this server in the proxy: it holds back streamed answers anyway.',
		});
	}

	/** The error when n8n's egress filter rejects a request. */
	notAllowed(url: string, error: Error | undefined): ServerError {
		return error === undefined || error.name.startsWith('Ssrf')
			? failure('blockedByPolicy', this.contextOf(url), { facts: { reason: error?.message } })
			: networkFailure(error, this.contextOf(url));
	}
}

function noPlaceOf(limit: number): string {
	const [requests, places] = limit === 1 ? ['request', 'the place'] : ['requests', 'all places'];
	return `The credential allows ${limit} ${requests} at once (Max Concurrent Requests), and others held ${places}. Raise that number if the server has more slots, send fewer requests at once, or raise the time limit.`;
}

function noSlotOf(slots = 1): string {
	const count =
		slots === 1 ? 'has one slot, which others used' : `has ${slots} slots, which others used`;
	return `The server ${count}. Start it with more slots, send fewer requests at once, or raise the time limit. Max Concurrent Requests in the credential lets more requests wait at the server.`;
}
