/** LangChain's `withStructuredOutput`: what its callers pass, and what they get. */
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord, asRecords } from '../values/records';
import { parseJson } from '../values/json';
import { tryOrUndefined } from '../values/try-or-undefined';
import { toText } from '../values/text';
import type { RequestedFormat } from '../chat/chat-request';
import { assertSchema, validateAgainstSchema } from '../chat/check/validate-against-schema';
import type { AiNodeSdk, HostMessageChunk } from './host-classes';
import { toResponseSchema } from './json-schema';

/** The settings of a caller, as LangChain names them. */
export interface StructuredOutputConfig {
	/** Name of the schema. */
	name?: string;
	/** `functionCalling`: a tool that the model must call. Others: the response itself, by its schema. */
	method?: string;
	/** Whether to return `{raw, parsed}`, with null for a response that cannot be parsed. */
	includeRaw?: boolean;
}

/** What a caller requires of a response: an option of its call. */
export interface StructuredOutputRequest extends StructuredOutputConfig {
	/** Of zod, of another library, or JSON schema. */
	schema: unknown;
}

/** Names that all servers accept for a schema. */
const SCHEMA_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** @throws {ServerError} of type `invalidInput` for a schema that cannot be used */
export function toRequestedFormat(
	{ schema: source, name, includeRaw }: StructuredOutputRequest,
	toJsonSchema: AiNodeSdk['getParametersJsonSchema'],
): RequestedFormat {
	const schema = toResponseSchema(source, toJsonSchema);
	assertSchema(schema);
	return {
		schema,
		name: name !== undefined && SCHEMA_NAME.test(name) ? name : undefined,
		acceptsMismatch: includeRaw === true,
		findIssues: (value) => findIssues(source, value),
	};
}

/** A response, and what it says; null if that does not match the schema. */
export interface RawStructuredOutput {
	raw: HostMessageChunk;
	parsed: unknown;
}

/** For a caller that also reads a response that does not match. */
export async function parseRawOutput(
	raw: HostMessageChunk,
	request: StructuredOutputRequest,
	toJsonSchema: AiNodeSdk['getParametersJsonSchema'],
): Promise<RawStructuredOutput> {
	const value = parseJson(toText(raw.content));
	const { schema } = toRequestedFormat(request, toJsonSchema);
	const matches = value !== undefined && validateAgainstSchema(schema, value).issues.length === 0;
	const parse = async () => await parseStructuredOutput(request.schema, raw);
	return { raw, parsed: matches ? await parse().catch(() => null) : null };
}

/**
 * The value of a response whose text the turn has compared with the schema. A library's schema makes its own value of
 * it, with defaults and conversions.
 *
 * @throws {Error} with the issues of a library that takes its time to find them
 */
export async function parseStructuredOutput(
	schema: unknown,
	{ content }: Pick<HostMessageChunk, 'content'>,
): Promise<unknown> {
	const value = parseJson(toText(content));
	const validate = getValidator(schema);
	if (!validate) return value;
	const result = asRecord(await validate(value));
	const issues = toIssues(result);
	if (issues.length === 0) return result.value;
	throw new Error(`The response is not the requested JSON. Issues: ${issues.join('; ')}`);
}

/** The check of a library's schema (Standard Schema), which zod has as well. */
function getValidator(schema: unknown): ((value: unknown) => unknown) | undefined {
	const { validate } = asRecord(asRecord(schema)['~standard']);
	return typeof validate === 'function' ? (validate as (value: unknown) => unknown) : undefined;
}

/** What JSON schema cannot express, if the library finds it at once. */
function findIssues(schema: unknown, value: unknown): readonly string[] {
	const result = tryOrUndefined(() => getValidator(schema)?.(value));
	// It is checked again, and its error read, after the turn.
	if (result instanceof Promise) result.catch(() => {});
	return toIssues(asRecord(result));
}

function toIssues({ issues }: JsonRecord): string[] {
	return asRecords(issues).map(describeIssue);
}

function describeIssue({ message, path }: JsonRecord): string {
	const place = [path ?? []]
		.flat()
		.map((key) => String(asRecord(key).key ?? key))
		.join('.');
	const problem = asNonEmptyString(message) ?? 'invalid';
	return place ? `${place}: ${problem}` : problem;
}
