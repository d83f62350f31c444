/** Parses the body of an error response, whatever server or proxy it is from. */
import { parseObject } from '../json';
import { isNonEmpty, isRecord, type JsonRecord, parseNumber, asString, toText } from '../values';

/** Characters that patterns scan: on a megabyte of the wrong text they would block n8n. */
export const MAX_SCANNED_TEXT = 4_000;

/** The parsed body of an error response. */
export interface ParsedErrorBody {
	form: 'json' | 'page' | 'text' | 'empty';
	message: string;
	/** Type and code of the error. */
	codes: string[];
	facts: JsonRecord;
	/** The status in the error itself. */
	status?: number;
	/** The body has the form of an error. */
	isError?: true;
}

/** Whether there is an error: `{}` or `{"code":0,"message":""}` in a response is not an error. */
export function hasError(error: unknown): boolean {
	if (!isRecord(error)) return isNonEmpty(error);
	return Object.values(error).some((value) => value !== 0 && value !== false && isNonEmpty(value));
}

/** Parses an error in any usual form: OpenAI's, FastAPI's, Ollama's, GPUStack's, or plain text. */
export function parseErrorBody(body: string): ParsedErrorBody {
	const json = parseObject(body);
	if (json !== undefined) return parseErrorJson(json);
	const trimmed = body.trim();
	const empty = { codes: [], facts: {} };
	if (trimmed === '') return { form: 'empty', message: '', ...empty };
	if (!trimmed.startsWith('<'))
		return {
			form: 'text',
			message: trimmed.slice(0, MAX_SCANNED_TEXT).replace(/\s+/g, ' '),
			...empty,
		};
	return { form: 'page', message: toPageText(trimmed), ...empty };
}

/** The visible text of a page. */
function toPageText(page: string): string {
	const start = page.slice(0, 4 * MAX_SCANNED_TEXT);
	const trimmed = start.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
	const text = trimmed.replace(/\s+/g, ' ').trim().slice(0, MAX_SCANNED_TEXT);
	// Most pages repeat their title as a heading.
	return text.replace(/^(.{5,200}) \1(?= |$)/, '$1');
}

function parseErrorJson(json: JsonRecord): ParsedErrorBody {
	const error = json.error ?? json.detail;
	const inner = isRecord(error) ? error : json;
	const { message: innerMessage, type, code, ...extraFields } = inner;
	const message = isRecord(error) ? toSentence(innerMessage ?? inner) : findSentence(json, error);
	const codes = [type, code].map(asString).filter((value) => value !== undefined);
	const facts = omitNullFacts(isRecord(error) ? { ...extraFields, code } : {});
	const isError = hasError(error) || undefined;
	const status = parseInnerStatus(inner);
	return withUpstreamError({
		form: 'json',
		message,
		codes,
		facts,
		status,
		isError,
	});
}

/** Prefers an error inside the message, since it is more specific. */
function withUpstreamError(errorBody: ParsedErrorBody): ParsedErrorBody {
	const nested = parseNestedError(errorBody.message);
	if (nested === undefined) return errorBody;
	return {
		...errorBody,
		message: nested.message,
		codes: [...errorBody.codes, ...nested.codes],
		facts: { ...errorBody.facts, ...nested.facts },
		status: nested.status ?? errorBody.status,
	};
}

/** The sentence next to or instead of an error object: if both exist, `error` is the phrase of the status. */
function findSentence(json: JsonRecord, error: unknown): string {
	const { message, detail } = json;
	return toSentence([message, detail, error].find(isNonEmpty) ?? json);
}

/** GPUStack (seen: 2.3.0) and LiteLLM include the error of the upstream server in their own text. */
function parseNestedError(message: string): ParsedErrorBody | undefined {
	const start = message.indexOf('{');
	if (start < 0 || message.length > MAX_SCANNED_TEXT) return undefined;
	const json = parseObject(message.slice(start, message.lastIndexOf('}') + 1));
	if (json === undefined || !(isNonEmpty(json.error) || isNonEmpty(json.message))) return undefined;
	return parseErrorJson(json);
}

function parseInnerStatus({ code, status }: JsonRecord): number | undefined {
	return [code, status]
		.map(parseNumber)
		.find((status) => status !== undefined && status >= 400 && status < 600);
}

function toSentence(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map(formatIssue).join('; ');
	return toText(value).slice(0, MAX_SCANNED_TEXT);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function formatIssue(issue: unknown): string {
	if (!isRecord(issue) || !('msg' in issue)) return toText(issue).slice(0, MAX_SCANNED_TEXT);
	return `${[issue.loc].flat().map(toText).join('.')}: ${toText(issue.msg)}`;
}

function omitNullFacts(facts: JsonRecord): JsonRecord {
	const filled = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined);
	return Object.fromEntries(filled);
}
/** Parses the body of an error response in any usual form. */
