/** Facts that a remedy may name. All optional: a text is complete without them. */
export interface ErrorTextParams {
	/** Resolved URL of the request. */
	url?: string;
	/** Host name without port. */
	host?: string;
	port?: string;
	/** Root URL of the server, to suggest as Base URL. */
	root?: string;
	/** What the user typed as Base URL. */
	typed?: string;
	/** The low-level code, for example `ECONNREFUSED`. */
	code?: string;
	/** The time limit that was exceeded. */
	timeoutMs?: number;
	status?: number;
	model?: string;
	location?: string;
	promptTokens?: number;
	contextTokens?: number;
	modality?: string;
	tool?: string;
	maxTokens?: number;
	/** The model ended its answer itself, no token limit did. */
	hasModelEnded?: boolean;
	/** No key was sent. */
	isKeyMissing?: boolean;
	/** No instance of the model answers its gateway. */
	hasNoInstance?: boolean;
	/** The answer had no body. */
	isEmpty?: boolean;
	/** The answer was a web page. */
	isPage?: boolean;
	/** The service, where it is not a model server. */
	service?: 'dify';
	/** The request starts a run of a Dify app. */
	isRunStart?: boolean;
}

export interface ErrorText {
	/** What happened in a few words, without URL and without a full stop. At most about 80 characters. */
	title: string;
	/** What happened in full, where the title leaves something out. */
	detail?: string;
	/** What to do about it. */
	suggestion: string;
}

export type ErrorTextBuilder = (facts: ErrorTextParams) => ErrorText;

/** A row whose text does not depend on facts. */
export function errorText(title: string, suggestion: string): ErrorTextBuilder {
	return () => ({ title, suggestion });
}

const LOOPBACK = /^(localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0)$/i;

/** Whether a host name means "this very machine or container". */
export function isLoopback(host: string | undefined): boolean {
	return host !== undefined && LOOPBACK.test(host);
}

export function quoteName(name: string | undefined): string {
	return name === undefined || name === '' ? '' : `"${name}"`;
}

/** A duration as text: "800 ms", "12.5 s", "3 minutes". */
export function formatDuration(ms: number | undefined): string {
	if (ms === undefined) return 'the configured time';
	if (ms < 1000) return `${ms} ms`;
	if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
	return `${Math.round(ms / 6000) / 10} minutes`;
}
