/** Ends thinking after a time limit (docs/protocols/llama-server-new.md 2). */
import type { Connection } from '../http/connection';
import type { ServerSentEvent } from '../http/sse';
import { pauseFor } from '../http/waiting';
import { LruCache } from '../lru-cache';
import { modelKey } from '../servers/model-key';
import { kindOf, labelsOf } from '../servers/kinds';
import { parseObject } from '../json';
import { nonEmptyText, recordOf } from '../values';
import type { ChatRequest } from './types';

const ASK_LIMIT_MS = 10_000;
/** After this time, thinking that was already on its way has arrived. */
const ON_ITS_WAY_MS = 1_000;
/** More characters of thinking after that mean that the server agreed, but did nothing. */
const GOES_ON = 50;
/** Statuses of older versions, cached for a limited time: the server may be updated while n8n runs. */
const NO_ROUTE: ReadonlySet<number> = new Set([404, 405, 501]);
const withoutRoute = LruCache.shared<true>({ ttlMs: 60 * 60_000 });
/** Tokens per second by model and server. */
const speeds = LruCache.shared<number>();

/** @param key key of model and server */
export function rememberSpeed(key: string, tokensPerSecond: number | undefined): void {
	if (tokensPerSecond !== undefined) speeds.set(key, tokensPerSecond);
}

function mayEndThinking({ id }: Connection, { serverKind }: ChatRequest): boolean {
	return kindOf(serverKind).chat.thinking.endsOnRequest === true && !withoutRoute.has(id);
}

/** Adds a token budget to the request if the server cannot end thinking on demand and the model's speed is known. */
export function fitThinkingLimit(
	connection: Connection,
	request: ChatRequest,
): { request: ChatRequest; notes: string[] } {
	const { parameters, serverKind, model } = request;
	const { thinking } = parameters;
	const perSecond = speeds.get(modelKey({ connection, model }));
	const isOfUse =
		kindOf(serverKind).chat.thinking.hasBudget === true && !mayEndThinking(connection, request);
	if (thinking?.limitMs === undefined || perSecond === undefined || !isOfUse)
		return { request, notes: [] };
	const limitTokens = Math.max(1, Math.round((thinking.limitMs / 1000) * perSecond));
	return {
		request: { ...request, parameters: { ...parameters, thinking: { ...thinking, limitTokens } } },
		notes: [
			`Thinking Time Limit: this server is not known to end thinking when it is told to. It got a token budget in its place, as many tokens as this model wrote in ${thinking.limitMs / 1000} s of its last answer.`,
		],
	};
}

/** What happened after the limit was reached. */
const UNANSWERED = '. The server was told to end the thinking, and did not answer that.';
const BEGAN = '. The server was told to end the thinking, and the answer began.';
const CANNOT = `, and thought on: this server is not known to end thinking when it is told to. Newer versions of ${labelsOf(({ chat }) => chat.thinking.endsOnRequest)} do. Else set Thinking to Token Budget.`;
const AGREED_ONLY =
	'. The server was told to end the thinking and agreed, but the thinking went on: it does not know the end tag of this model as one token. Turn Thinking off, or take a model and a chat template that fit each other.';

/** Measures how long an answer thinks, and tells the server to end it at the limit. */
export class ThinkingLimit {
	private readonly limitMs: number;
	/** ID of the answer on the server. */
	private id: unknown;
	/** Timer of the current thinking. */
	private waiting: AbortController | undefined;
	private readonly over = new AbortController();
	private outcome: string | undefined;
	private agreedAt = Infinity;
	private wentOn = 0;

	constructor(private readonly opened: { connection: Connection; request: ChatRequest }) {
		const { serverKind, parameters } = opened.request;
		// Other servers ignore the option, for which there already is a note.
		this.limitMs =
			kindOf(serverKind).chat.thinking.hasBudget === true ? (parameters.thinking?.limitMs ?? 0) : 0;
	}

	/** @param thinks whether the answer is still thinking after these events, which contained `reasoning` */
	seen(events: readonly ServerSentEvent[], thinks: boolean, reasoning: string): void {
		if (this.limitMs === 0) return;
		this.id ??= parseObject(events[0]?.data ?? '')?.id;
		if (!thinks) {
			this.waiting?.abort();
			this.waiting = undefined;
			this.agreedAt = Infinity;
		} else if (this.waiting === undefined) {
			this.waiting = new AbortController();
			this.endLater(this.waiting.signal).catch(() => {});
		}
		if (performance.now() - this.agreedAt > ON_ITS_WAY_MS) this.wentOn += reasoning.length;
		if (this.wentOn > GOES_ON) this.outcome = AGREED_ONLY;
	}

	/** @returns notes for the user; empty if the limit was not reached */
	close(): string[] {
		if (this.waiting === undefined && this.outcome === undefined) return [];
		this.waiting?.abort();
		this.over.abort();
		const thought = `The model had thought for ${this.limitMs / 1000} s (Thinking Time Limit)`;
		return this.outcome === undefined ? [] : [thought + this.outcome];
	}

	private async endLater(signal: AbortSignal): Promise<void> {
		await pauseFor(this.limitMs, signal);
		const { connection, request } = this.opened;
		this.outcome = mayEndThinking(connection, request) ? UNANSWERED : CANNOT;
		if (this.outcome === CANNOT) return;
		const answer = await connection.call(`${connection.url.api}/chat/completions/control`, {
			// A router needs the model's name.
			json: { id: this.id, action: 'reasoning_end', model: request.model },
			timeoutMs: ASK_LIMIT_MS,
			signal: this.over.signal,
		});
		const { success, message } = recordOf(answer.json);
		if (NO_ROUTE.has(answer.status)) {
			withoutRoute.set(connection.id, true);
			this.outcome = CANNOT;
		} else if (success !== true) {
			const serverText = nonEmptyText(message) ?? connection.refusal(answer).serverText;
			const reason = connection.mask(serverText ?? `HTTP ${answer.status}`);
			this.outcome = `. The server was told to end the thinking, and did not: ${reason}`;
		} else {
			this.outcome = BEGAN;
			if (!signal.aborted) this.agreedAt = performance.now();
		}
	}
}
