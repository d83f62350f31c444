/**
 * Errors of what is behind Dify: its plugin daemon, the provider plugin, the model. Dify passes them on as
 * `invalid_param` with status 400, as Python or as JSON inside the message (docs/protocols/dify.md 12.1).
 */
import type { DifyKind } from '../../errors/kinds';
import { parseObject } from '../../json';
import { isRecord, text } from '../../values';

interface ProviderError {
	kind: DifyKind;
	/** The innermost message. */
	serverText: string;
}

/** Characters. Longer than any model's error: JSON that is cut cannot be read. */
const MAX_BLOB = 64 * 1024;
const MAX_DEPTH = 5;

/**
 * "Run failed: req_id: 7290e79a93 PluginInvokeError: {…}": around the error of a plugin, in chatflows and blocking
 * answers.
 */
const WRAPPERS =
	/^(?:Run failed:\s*)?(?:\[[^\]\n]{1,80}\] Error:\s*)?(?:req_id:\s*\w*\s+)?(?:plugin daemon:\s*)?/;

/** "[OpenAI-API-compatible] Error: " without a reason: the plugin daemon is gone, seen on main of July 2026. */
const NO_REASON = /^(?:Run failed:\s*)?\[[^\]\n]{1,80}\] Error:\s*$/;

const BY_TEXT: ReadonlyArray<readonly [RegExp, DifyKind]> = [
	[/\bPluginDaemonBadRequestError\b/, 'invalidParam'],
	[
		/Failed to request plugin daemon|Request to Plugin Daemon Service failed|\bPluginDaemon\w*Error\b|plugin runtime not found/,
		'pluginDaemon',
	],
	[/^Provider \S+ does not exist/, 'providerMissing'],
	[/^Reached maximum retries \(\d+\) for URL/, 'fileUnreachable'],
	[
		/Response ended prematurely|ConnectionPool\(host=|\bNewConnectionError\b|\bRemoteDisconnected\b|\b(?:ChunkedEncoding|ReadTimeout|ConnectTimeout|IncompleteRead|ProtocolError)\w*\b/,
		'modelConnection',
	],
];

/** Reads the error of a plugin or a model from Dify's message; undefined for other messages. */
export function readProviderError(message: string): ProviderError | undefined {
	const whole = message.slice(0, MAX_BLOB);
	if (NO_REASON.test(whole)) return { kind: 'pluginDaemon', serverText: whole.trim() };
	const bare = whole.replace(WRAPPERS, '');
	const blob = blobIn(bare);
	const wrapped =
		/^Plugin\w*Error:/.test(bare) || (blob !== undefined && text(blob.error_type) !== undefined);
	const serverText = readable(innermost(bare.replace(/^Plugin\w*Error:\s*/, '')));
	const known = BY_TEXT.find(([pattern]) => pattern.test(bare))?.[1];
	if (known !== undefined) return { kind: known, serverText };
	return wrapped ? { kind: 'modelProvider', serverText } : undefined;
}

function blobIn(bare: string): Record<string, unknown> | undefined {
	const start = bare.indexOf('{');
	const end = bare.lastIndexOf('}');
	return start < 0 || end < start ? undefined : parseObject(bare.slice(start, end + 1));
}

/** The innermost of nested messages: of the plugin, of its exception, of the model's own JSON. */
function innermost(raw: string, depth = 0): string {
	const blob = depth < MAX_DEPTH ? blobIn(raw) : undefined;
	if (blob === undefined) return raw.trim();
	const args = isRecord(blob.args) ? blob.args : {};
	const error = isRecord(blob.error) ? blob.error : {};
	const inner =
		text(blob.message) ||
		text(args.description) ||
		text(error.message) ||
		text(blob.error) ||
		text(blob.detail);
	if (!inner) return raw.trim();
	return `${raw.slice(0, raw.indexOf('{'))}${innermost(inner, depth + 1)}`.trim();
}

/** Python's text of a failed connection, shortened to reason, host and port. */
function readable(raw: string): string {
	const [pool, host, port, path] =
		/HTTPS?ConnectionPool\(host='([^']+)', port=(\d+)\): Max retries exceeded with url: (\S+) /.exec(
			raw,
		) ?? [];
	if (pool === undefined) return raw;
	const why =
		/Connection refused|timed out|No route to host|Name or service not known|Connection reset/i.exec(
			raw,
		)?.[0];
	return `${raw.slice(0, raw.indexOf(pool))}${why ?? 'no connection'}: ${host}:${port}${path}`;
}
