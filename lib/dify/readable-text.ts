/** Messages of Dify without keys and unreadable parts. */
import { mask } from '../errors/mask';
import { asRecord, asString } from '../values/records';
import { parseObject } from '../values/json';
import { truncate } from '../values/text';
import { MAX_PATTERN_INPUT } from './error-types';

const MAX_TEXT_LENGTH = 1_000;

/** The JSON of a model's error may be long, and truncated JSON cannot be parsed. */
const MAX_JSON_LENGTH = 64 * 1024;

const MAX_DEPTH = 5;

/** The message without keys and unreadable parts, at most 1,000 characters. */
export function toReadableText(message: string, secrets?: readonly string[]): string {
	const unwrapped = unwrapMessage(message.slice(0, MAX_JSON_LENGTH));
	const start = mask(unwrapped, secrets)
		.slice(0, MAX_PATTERN_INPUT)
		// The framework suggests other routes after a 404 text, which is about IDs, not routes (docs/protocols/dify.md 6.3).
		.replace(/\s{0,9}You have requested this URI \[[\s\S]*$/, '')
		// For a value that the database cannot parse, the response contains the full SQL statement (docs/protocols/dify.md 2.13).
		.replace(/\n(?:LINE \d+:|\[SQL:)[\s\S]*$/, '');
	return truncate(summarizeValidationErrors(start).trim(), MAX_TEXT_LENGTH);
}

/** Around the error of a plugin: "Run failed: req_id: 7290e79a93 PluginInvokeError: {…}" (docs/protocols/dify.md 12.1). */
const WRAPPERS =
	/^(?:Run failed:\s*)?(?:req_id: ?\w{0,40} {1,3})?(?:plugin daemon: ?)?Plugin\w{0,40}Error: ?/;

/** The same behind the name of a provider or a node: "[deepseek] Error: PluginInvokeError: {…}". */
const INNER_WRAPPER = /(?:req_id: ?\w{0,40} {1,3})?Plugin\w{0,40}Error: ?$/;

/** The JSON of a model as Python prints it: "Error code: 400 - {'error': {'message': "…", 'type': …}}". */
const PYTHON_ERROR = /\{'error': \{'message': (?:"([^"]+)"|'([^']+)')[\s\S]*$/;

/** The innermost of nested messages: plugin, exception, JSON of the model. */
function unwrapMessage(raw: string, depth = 0): string {
	const bare = raw.replace(WRAPPERS, '');
	const start = bare.indexOf('{');
	const json =
		depth < MAX_DEPTH ? parseObject(bare.slice(start, bare.lastIndexOf('}') + 1)) : undefined;
	if (json === undefined) {
		return bare.replace(PYTHON_ERROR, (_all, quoted?: string, text?: string) => quoted ?? text!);
	}
	const { message, args, error, detail } = json;
	const description = asString(asRecord(args).description) ?? '';
	// The message may be only the beginning of it.
	const isWhole = typeof message === 'string' && description.startsWith(message);
	const texts = [
		isWhole ? description : message,
		description,
		asRecord(error).message,
		error,
		detail,
	];
	const inner = texts.map(asString).find(Boolean);
	if (inner === undefined) return bare;
	return bare.slice(0, start).replace(INNER_WRAPPER, '') + unwrapMessage(inner, depth + 1);
}

/**
 * Pydantic's texts have many lines and repeat the input, which may be private (docs/protocols/dify.md 6.2): a heading with the
 * number of issues, then for each its place, if it has one, and an indented line that says what is wrong.
 */
function summarizeValidationErrors(message: string) {
	const issues = Array.from(
		message.matchAll(/^(\S.{0,300})\n {2}(\S.{0,300}?)(?: \[\w{1,60}=.*)?$/gm),
		([, place, issue]) => `${place}: ${issue}`,
	);
	return /^\d+ .*\n/.test(message) && issues.length > 0 ? issues.slice(0, 3).join('; ') : message;
}
