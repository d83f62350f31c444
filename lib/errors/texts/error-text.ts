import type { JsonRecord } from '../../values/records';
import { isUnset } from '../../values/records';

/** Facts that a text may include. All optional: a text is complete without them. */
export interface ErrorTextParams {
	/** Resolved URL of the request. */
	url?: string;
	/** Host name without port. */
	host?: string;
	port?: string;
	/** Root URL of the server, to suggest as Base URL. */
	root?: string;
	/** The Base URL as entered. */
	typed?: string;
	/** The low-level code, for example `ECONNREFUSED`. */
	code?: string;
	/** The timeout that expired. */
	timeoutMs?: number;
	status?: number;
	model?: string;
	location?: string;
	promptTokens?: number;
	contextTokens?: number;
	modality?: string;
	tool?: string;
	/** What is wrong with a tool call. */
	details?: string;
	maxTokens?: number;
	/** The model ended its response itself, not a token limit. */
	hasModelEnded?: boolean;
	/** The request turned thinking off. */
	isThinkingOff?: boolean;
	/** No key was sent. */
	isKeyMissing?: boolean;
	/** No instance of the model responds to its gateway. */
	hasNoInstance?: boolean;
	/** A process failed to allocate memory. */
	isOutOfMemory?: boolean;
	/** The response had no body. */
	isEmpty?: boolean;
	/** The response was a web page. */
	isPage?: boolean;
	/** The response was Dify's. */
	isDify?: boolean;
	/** The response was the page of a Node.js program, such as n8n, for a missing path. */
	isNodePage?: boolean;
	/** The service, if it is not a model server. */
	service?: 'dify';
	/** The request starts a run of a Dify app. */
	isRunStart?: boolean;
}

export interface ErrorText {
	/** What happened in a few words, without URL and without a full stop. At most about 80 characters. */
	title: string;
	/** What happened in full, if the title omits something. */
	detail?: string;
	/** What to do about it. */
	suggestion: string;
}

/**
 * The text of an error type: a line for the title, perhaps one for the detail, and one for the suggestion. `{model}` is
 * replaced by the fact. Quotation marks around an unknown fact are left out, and so is `[ (now {maxTokens})]`.
 */
export type ErrorTextSource = string | ((facts: ErrorTextParams) => string);

const FACT = /\[([^[\]]*)\{(\w+)\}([^[\]]*)\]|("?)\{(\w+)\}"?/g;

/** The facts are inserted last, since they may contain line breaks and brackets. */
export function toErrorText(source: ErrorTextSource, facts: ErrorTextParams): ErrorText {
	const values: JsonRecord = { ...facts, timeout: formatDuration(facts.timeoutMs) };
	const lines = (typeof source === 'string' ? source : source(facts)).split(/\n\s*/).map((line) =>
		line.replace(FACT, (_all, before, optional, after, quote, name) => {
			const value = values[optional ?? name];
			return isUnset(value) ? '' : `${before ?? quote}${value}${after ?? quote}`;
		}),
	);
	const suggestion = lines.pop()!;
	const [title, detail] = lines;
	return { title: title!, detail: detail || undefined, suggestion };
}

const LOOPBACK = /^(localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0)$/i;

/** Whether a host name means "this very machine or container". */
export function isLoopback(host: string | undefined): boolean {
	return host !== undefined && LOOPBACK.test(host);
}

/** A duration as text: "800 ms", "12.5 s", "3 minutes". */
export function formatDuration(ms: number | undefined): string {
	if (ms === undefined) return 'the configured time';
	if (ms < 1000) return `${ms} ms`;
	if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
	return `${Math.round(ms / 6000) / 10} minutes`;
}
